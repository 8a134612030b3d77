"""The books of a store: which generations there are of each model, how far they have come, and who works on them.

The SQL is what SQLite and PostgreSQL understand alike. Every method is called within one transaction of the store.
"""

from collections.abc import Sequence
from typing import Protocol

import orjson

from projections.projection import Projection, Value
from projections.stores.port import SHARD, Generation, Halt, Row, State, StoreUnavailable, Work
from projections.stores.statements import Dialect, physical, schema

LAYOUT = 1
"""The version of the tables in this file."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS layout (version {whole} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS models (model {text} NOT NULL, generation {whole} NOT NULL,"
    " shard {whole} NOT NULL, version {whole} NOT NULL, state {text} NOT NULL,"
    " position {whole} NOT NULL, tables {text} NOT NULL, halted_at {whole}, halted_by {text},"
    " halted_why {text}, PRIMARY KEY (model, generation, shard))",
    "CREATE TABLE IF NOT EXISTS workers (worker {text} NOT NULL, model {text} NOT NULL,"
    " rate {whole} NOT NULL, seen {whole} NOT NULL, error {text}, PRIMARY KEY (worker, model))",
)
"""`tables` is a JSON object of the generation's tables with their columns; `halted_…` say why it stands still."""

_LAYOUT = "SELECT version FROM layout"
_NEW_LAYOUT = "INSERT INTO layout (version) VALUES (?)"
_GENERATION = (
    "SELECT model, generation, version, state, position, halted_at, halted_by, halted_why"
    f" FROM models WHERE shard = {SHARD}"
)
_ALL = f"{_GENERATION} ORDER BY model, generation"
_OF_MODEL = f"{_GENERATION} AND model = ? ORDER BY generation"
_NEW = (
    "INSERT INTO models (model, generation, shard, version, state, position, tables)"
    f" VALUES (?, ?, {SHARD}, ?, ?, 0, ?)"
)
_GONE = "DELETE FROM models WHERE model = ? AND generation = ?"
_STATE = "UPDATE models SET state = ? WHERE model = ? AND generation = ?"
_TABLES = f"SELECT tables FROM models WHERE model = ? AND generation = ? AND shard = {SHARD}"
_ADVANCE = (
    "UPDATE models SET position = ?, halted_at = NULL, halted_by = NULL, halted_why = NULL"
    f" WHERE model = ? AND generation = ? AND shard = {SHARD} AND position = ? AND state <> '{State.KEPT}'"
    " RETURNING position"
)
_HALT = (
    "UPDATE models SET halted_at = ?, halted_by = ?, halted_why = ?"
    f" WHERE model = ? AND generation = ? AND shard = {SHARD} AND position < ?"
)
POSITIONS = f"SELECT model, position FROM models WHERE shard = {SHARD} AND state = '{State.LIVE}'"

_REPORT = (
    "INSERT INTO workers (worker, model, rate, seen, error) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (worker, model) DO UPDATE SET rate = excluded.rate, seen = excluded.seen,"
    " error = excluded.error"
)
_FORGET = "DELETE FROM workers WHERE worker = ?"
_FORGET_OLD = "DELETE FROM workers WHERE seen < ?"
_WORK = "SELECT worker, model, rate, seen, error FROM workers ORDER BY model, worker"
_DAY = 24 * 3600


class Execute(Protocol):
    """Runs one statement in a transaction, and gives the rows that it answers with."""

    def __call__(self, sql: str, *values: Value) -> list[Row]: ...


class Books:
    """See the module's docstring."""

    def __init__(self, execute: Execute, dialect: Dialect) -> None:
        self._execute = execute
        self._dialect = dialect

    def lay_out(self) -> int:
        """Make the books if need be. The version of their layout."""
        for statement in TABLES:
            self._execute(statement.format(text=self._dialect.text, whole=self._dialect.whole))
        rows = self._execute(_LAYOUT)
        if not rows:
            self._execute(_NEW_LAYOUT, LAYOUT)
            return LAYOUT
        return int(rows[0][0] or 0)

    def all(self) -> list[Generation]:
        return [_generation(row) for row in self._execute(_ALL)]

    def of(self, model: str) -> dict[State, Generation]:
        """The generations of a model. At most one stands beside the live one."""
        found = (_generation(row) for row in self._execute(_OF_MODEL, model))
        return {one.state: one for one in found}

    def look_up(self, model: str, number: int) -> Generation:
        for row in self._execute(_OF_MODEL, model):
            if row[1] == number:
                return _generation(row)
        raise StoreUnavailable(f"Generation {number} of the model {model!r} was dropped meanwhile.")

    def begin(self, projection: Projection) -> Generation:
        """A generation with empty tables beside the live one. What else there is beside it is dropped."""
        numbers = [0]
        for state, one in self.of(projection.name).items():
            numbers.append(one.number)
            if state is not State.LIVE:
                self.drop(one)
        new = Generation(projection.name, max(numbers) + 1, projection.version, State.BUILDING, 0)
        for table in projection.tables:
            for statement in schema(table, new.number, self._dialect):
                self._execute(statement)
        tables = {table.name: table.columns for table in projection.tables}
        described = orjson.dumps(tables).decode()
        self._execute(_NEW, new.model, new.number, new.version, new.state, described)
        return new

    def drop(self, generation: Generation) -> None:
        for name in self._tables(generation):
            self._execute(f"DROP TABLE {physical(name, generation.number)}")
        self._execute(_GONE, generation.model, generation.number)

    def become(self, generation: Generation, state: State) -> Generation:
        self._execute(_STATE, state, generation.model, generation.number)
        return generation._replace(state=state)

    def switch(self, new: Generation, old: Generation | None) -> Generation:
        """Let the plain names mean the tables of `new`, and keep those of `old`."""
        if old is not None:
            for name in self._tables(old):
                self._execute(f"DROP VIEW {name}")
            self.become(old, State.KEPT)
        for name, columns in self._tables(new).items():
            self._execute(
                f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {physical(name, new.number)}"
            )
        return self.become(new, State.LIVE)

    def can_answer(self, generation: Generation, projection: Projection) -> bool:
        """Whether the generation's tables have all columns that the projection's readers may ask for."""
        tables = self._tables(generation)
        return all(
            set(table.columns) <= set(tables.get(table.name, ())) for table in projection.tables
        )

    def advance(self, generation: Generation, after: int, to: int) -> bool:
        return bool(self._execute(_ADVANCE, to, generation.model, generation.number, after))

    def halt(self, generation: Generation, halt: Halt) -> None:
        self._execute(_HALT, *halt, generation.model, generation.number, halt.position)

    def report(self, work: Sequence[Work]) -> None:
        for one in work:
            self._execute(_REPORT, *one)
            self._execute(_FORGET_OLD, one.seen - _DAY)

    def forget(self, worker: str) -> None:
        self._execute(_FORGET, worker)

    def work(self) -> list[Work]:
        return [_work(row) for row in self._execute(_WORK)]

    def _tables(self, generation: Generation) -> dict[str, list[str]]:
        ((described,),) = self._execute(_TABLES, generation.model, generation.number)
        tables: dict[str, list[str]] = orjson.loads(str(described))
        return tables


def _generation(row: Row) -> Generation:
    model, number, version, state, position, at, by, why = row
    halt = None if at is None else Halt(int(at), str(by), str(why))
    return Generation(
        str(model), int(number or 0), int(version or 0), State(str(state)), int(position or 0), halt
    )


def _work(row: Row) -> Work:
    worker, model, rate, seen, error = row
    told = None if error is None else str(error)
    return Work(str(worker), str(model), int(rate or 0), int(seen or 0), told)
