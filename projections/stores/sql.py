"""What the stores in SQL databases share: how generations are begun, switched and brought back."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from projections.projection import Key, Projection, Rows, Table, Value
from projections.stores import statements
from projections.stores.books import LAYOUT, POSITIONS, Books, Execute
from projections.stores.port import (
    Generation,
    Halt,
    NothingToBringBack,
    Row,
    Snapshot,
    State,
    Store,
    StoreTooNew,
    Work,
)

REMEMBERED = 32
"""Queries whose rows a snapshot keeps: the parts of one answer ask for the same again, and a moment does not change."""


class SQLStore(Store):
    """A store in the database that is called `name` where its errors are told."""

    def __init__(self, name: str) -> None:
        self._name = name

    # What a database has to offer

    @property
    @abstractmethod
    def _dialect(self) -> statements.Dialect: ...

    @abstractmethod
    def _books(self, *, exclusive: bool = False) -> AbstractContextManager[Books]:
        """A transaction on the books, while no other changes them; `exclusive`: and nobody reads the models."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Execute]:
        """A transaction that sees one moment, and one generation of each model."""

    @abstractmethod
    def _look(self, sql: str, *values: Value) -> list[Row]:
        """The rows of one query, to fold with."""

    @abstractmethod
    def _stream(self, execute: Execute, sql: str) -> Iterator[Row]:
        """The rows of a query within `_reading`, however many there are."""

    # The port

    def prepare(self, projection: Projection) -> Generation:
        with self._books() as books:
            found = books.of(projection.name)
            live, building = found.get(State.LIVE), found.get(State.BUILDING)
            if live is None:
                return books.switch(books.begin(projection), None)
            self._check_not_newer(live, projection)
            if live.version == projection.version:
                return live
            if building is not None:
                self._check_not_newer(building, projection)
                if building.version == projection.version:
                    return building
            new = books.begin(projection)
            return new if books.can_answer(live, projection) else books.switch(new, live)

    def rebuild(self, projection: Projection) -> Generation:
        self.prepare(projection)
        with self._books() as books:
            found = books.of(projection.name)
            building = found.get(State.BUILDING)
            if building is not None:
                self._check_not_newer(building, projection)
                if building.version == projection.version:
                    return building
            self._check_not_newer(found[State.LIVE], projection)
            return books.begin(projection)

    def bring_back(self, projection: Projection) -> Generation:
        with self._books() as books:
            found = books.of(projection.name)
            former = found.get(State.RETURNING) or found.get(State.KEPT)
            if former is None:
                raise NothingToBringBack(
                    f"No former generation of the model {projection.name!r} is kept in {self._name}."
                )
            if former.version != projection.version:
                raise NothingToBringBack(
                    f"Generation {former.number} of the model {projection.name!r} is of version {former.version}; "
                    f"this program knows version {projection.version}, and could not keep it up to date. Bring it "
                    "back with the program that it was built with."
                )
            return books.become(former, State.RETURNING)

    def go_live(self, generation: Generation) -> bool:
        with self._books(exclusive=True) as books:
            now = books.look_up(generation.model, generation.number)
            live = books.of(generation.model)[State.LIVE]
            if now.number == live.number:
                return True
            if now.position < live.position:
                return False
            books.switch(now, live)
            return True

    def look_up(self, model: str, number: int) -> Generation:
        with self._reading() as execute:
            return Books(execute, self._dialect).look_up(model, number)

    def generations(self) -> list[Generation]:
        with self._reading() as execute:
            return Books(execute, self._dialect).all()

    def batch(self, generation: Generation) -> Rows:
        number = generation.number

        def read(table: Table, key: Key) -> Key | None:
            found = self._look(statements.one(table, number), *key)
            return (found[0] if table.values else ()) if found else None

        def read_all(table: Table, first: Value) -> Mapping[Key, Key]:
            width = len(table.key)
            found = self._look(statements.beginning(table, number), first)
            return {row[:width]: row[width:] for row in found}

        return Rows(read, read_all)

    def halt(self, generation: Generation, halt: Halt) -> None:
        with self._books() as books:
            books.halt(generation, halt)

    def report(self, work: Sequence[Work]) -> None:
        with self._books() as books:
            books.report(work)

    def forget(self, worker: str) -> None:
        with self._books() as books:
            books.forget(worker)

    def work(self) -> list[Work]:
        with self._reading() as execute:
            return Books(execute, self._dialect).work()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._reading() as execute:
            yield _SQLSnapshot(execute)

    @contextmanager
    def contents(
        self, projection: Projection, *, with_personal: bool = False
    ) -> Iterator[tuple[int, Iterator[Row]]]:
        tables = [one for one in projection.tables if with_personal or not one.personal]
        with self._reading() as execute:
            position = _SQLSnapshot(execute).position(projection.name)
            yield position, self._all_rows(execute, tables)

    # What else they share

    def _open(self) -> None:
        """Make the books if need be. Raises `StoreTooNew` for books that a newer program keeps."""
        with self._books() as books:
            layout = books.lay_out()
        if layout > LAYOUT:
            raise StoreTooNew(
                f"{self._name}: the store is laid out by version {layout}; this program knows version {LAYOUT}. Use "
                "the newer program or another store."
            )

    def _all_rows(self, execute: Execute, tables: Sequence[Table]) -> Iterator[Row]:
        for table in sorted(tables, key=lambda one: one.name):
            for row in self._stream(execute, statements.everything(table)):
                yield (table.name, *row)

    def _check_not_newer(self, generation: Generation, projection: Projection) -> None:
        if generation.version > projection.version:
            raise StoreTooNew(
                f"{self._name}: the model {projection.name!r} is of version {generation.version}; this program knows "
                f"version {projection.version}. Use the newer program or another store."
            )


class _SQLSnapshot:
    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._positions: dict[Value, int] | None = None
        self._found: dict[tuple[str, tuple[Value, ...]], list[Row]] = {}

    def position(self, model: str) -> int:
        if self._positions is None:
            self._positions = {name: int(at or 0) for name, at in self._execute(POSITIONS)}
        return self._positions.get(model, 0)

    def rows(self, sql: str, *values: Value) -> list[Row]:
        asked = (sql, values)
        if asked not in self._found:
            if len(self._found) == REMEMBERED:
                del self._found[next(iter(self._found))]
            self._found[asked] = self._execute(sql, *values)
        return [*self._found[asked]]
