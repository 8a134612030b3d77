"""What a store of read models must come to, said as plainly as possible: dictionaries, and no SQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from projections.projection import Key, Projection, Rows, Table, Value
from projections.stores.port import (
    Generation,
    Halt,
    NothingToBringBack,
    Row,
    State,
    Store,
    StoreTooNew,
    StoreUnavailable,
    Work,
)


@dataclass
class Kept:
    generation: Generation
    tables: tuple[Table, ...]
    rows: dict[str, dict[Key, Key]] = field(default_factory=dict)


class PlainStore(Store):
    """Answers no queries, but has contents."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Kept] = {}
        self._work: dict[tuple[str, str], Work] = {}

    def _of(self, model: str, *states: State) -> Generation | None:
        for (name, _), kept in self._kept.items():
            if name == model and kept.generation.state in states:
                return kept.generation
        return None

    def _set(self, generation: Generation) -> Generation:
        self._kept[generation.model, generation.number].generation = generation
        return generation

    def _begin(self, projection: Projection) -> Generation:
        numbers = [number for model, number in self._kept if model == projection.name]
        for number in numbers:
            if self._kept[projection.name, number].generation.state is not State.LIVE:
                del self._kept[projection.name, number]
        number = max(numbers, default=0) + 1
        new = Generation(projection.name, number, projection.version, State.BUILDING, 0)
        tables = projection.tables
        self._kept[new.model, number] = Kept(new, tables, {table.name: {} for table in tables})
        return new

    def _switch(self, new: Generation) -> Generation:
        live = self._of(new.model, State.LIVE)
        if live is not None:
            self._set(live._replace(state=State.KEPT))
        return self._set(new._replace(state=State.LIVE))

    def prepare(self, projection: Projection) -> Generation:
        live, building = (self._of(projection.name, one) for one in (State.LIVE, State.BUILDING))
        if live is None:
            return self._switch(self._begin(projection))
        _refuse_newer(live, projection)
        if live.version == projection.version:
            return live
        _refuse_newer(building, projection)
        if building is not None and building.version == projection.version:
            return building
        told = {one.name: set(one.columns) for one in self._kept[live.model, live.number].tables}
        asked = {one.name: set(one.columns) for one in projection.tables}
        answers = all(columns <= told.get(name, set()) for name, columns in asked.items())
        new = self._begin(projection)
        return new if answers else self._switch(new)

    def rebuild(self, projection: Projection) -> Generation:
        self.prepare(projection)
        building = self._of(projection.name, State.BUILDING)
        _refuse_newer(building, projection)
        if building is not None and building.version == projection.version:
            return building
        return self._begin(projection)

    def bring_back(self, projection: Projection) -> Generation:
        former = self._of(projection.name, State.KEPT, State.RETURNING)
        if former is None or former.version != projection.version:
            raise NothingToBringBack
        return self._set(former._replace(state=State.RETURNING))

    def go_live(self, generation: Generation) -> bool:
        now = self.look_up(generation.model, generation.number)
        live = self._of(generation.model, State.LIVE)
        assert live is not None
        if now.number == live.number:
            return True
        if now.position < live.position:
            return False
        self._switch(now)
        return True

    def look_up(self, model: str, number: int) -> Generation:
        if (model, number) not in self._kept:
            raise StoreUnavailable
        return self._kept[model, number].generation

    def generations(self) -> list[Generation]:
        return [self._kept[key].generation for key in sorted(self._kept)]

    def batch(self, generation: Generation) -> Rows:
        def all_rows(table: Table) -> dict[Key, Key]:
            key = generation.model, generation.number
            if key not in self._kept:
                raise StoreUnavailable
            return self._kept[key].rows[table.name]

        def beginning(table: Table, first: Value) -> dict[Key, Key]:
            return {key: row for key, row in all_rows(table).items() if key[0] == first}

        return Rows(lambda table, key: all_rows(table).get(key), beginning)

    def advance(self, generation: Generation, rows: Rows, *, after: int, to: int) -> bool:
        kept = self._kept.get((generation.model, generation.number))
        if kept is None or kept.generation.position != after or kept.generation.state is State.KEPT:
            return False
        for table, sums in rows.sums.items():
            stored = kept.rows[table.name]
            for key, changes in sums.items():
                before = stored.get(key, (0,) * len(changes))
                stored[key] = tuple(
                    int(old or 0) + new for old, new in zip(before, changes, strict=True)
                )
        for table, changed in rows.put_rows.items():
            for key, values in changed.items():
                if values is None:
                    kept.rows[table.name].pop(key, None)
                else:
                    kept.rows[table.name][key] = values
        kept.generation = kept.generation._replace(position=to, halt=None)
        return True

    def halt(self, generation: Generation, halt: Halt) -> None:
        now = self.look_up(generation.model, generation.number)
        if now.position < halt.position:
            self._set(now._replace(halt=halt))

    def report(self, work: Sequence[Work]) -> None:
        self._work.update({(one.model, one.worker): one for one in work})

    def forget(self, worker: str) -> None:
        self._work = {key: one for key, one in self._work.items() if one.worker != worker}

    def work(self) -> list[Work]:
        return [self._work[key] for key in sorted(self._work)]

    def snapshot(self) -> NoReturn:
        raise NotImplementedError("a dictionary understands no SQL")

    @contextmanager
    def contents(
        self, projection: Projection, *, with_personal: bool = False
    ) -> Iterator[tuple[int, Iterator[Row]]]:
        live = self._of(projection.name, State.LIVE)
        if live is None:
            yield 0, iter(())
            return
        kept = self._kept[live.model, live.number]
        tables = [one for one in projection.tables if with_personal or not one.personal]
        yield (
            live.position,
            iter(
                [
                    (table.name, *key, *kept.rows[table.name][key])
                    for table in sorted(tables, key=lambda one: one.name)
                    for key in sorted(kept.rows[table.name], key=_order)
                ]
            ),
        )

    def close(self) -> None:
        """There is nothing to let go of."""


def _order(key: Key) -> list[bytes | int]:
    return [one if isinstance(one, int) else str(one).encode() for one in key]


def _refuse_newer(generation: Generation | None, projection: Projection) -> None:
    if generation is not None and generation.version > projection.version:
        raise StoreTooNew
