"""A model to try stores with: tables of every kind, in three versions, and what tests do with it."""

from collections.abc import Sequence
from typing import Any

from projections.projection import Folded, Projection, Rows, Table
from projections.stores.port import Generation, Store

COUNT = Table("count", ("place", "mark"), ("votes", "total"), frozenset({"mark", "votes", "total"}))
NOTE = Table(
    "note", ("id",), ("text", "at"), frozenset({"at"}), indexes=(("text",), ("text", "at"))
)
SEEN = Table("seen", ("id", "at"), (), frozenset({"at"}))
WHO = Table("who", ("name",), ("home",), personal=True)


class Places(Projection):
    name = "places"
    version = 2
    tables = (NOTE, COUNT, SEEN, WHO)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        """Nothing: the tests write rows."""


class Later(Places):
    """Its tables can be read as those of the version before."""

    version = 3


class Wider(Places):
    """Its readers ask for a column that the version before does not have."""

    version = 3
    tables = (NOTE, COUNT, SEEN, Table("who", ("name",), ("home", "work"), personal=True))


class Other(Places):
    name = "other"
    version = 1
    tables = (Table("elsewhere", ("id",), ("text",)),)


PLACES, LATER, OTHER = Places(), Later(), Other()


def write(store: Store, generation: Generation, to: int, *notes: tuple[Any, ...]) -> Generation:
    """Advance a generation to a position, with notes (id, text, at)."""
    rows = store.batch(generation)
    for id_, text, at in notes:
        rows.put(NOTE, (id_,), text, at)
    assert store.advance(generation, rows, after=generation.position, to=to)
    return generation._replace(position=to)


def read(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with store.snapshot() as at:
        return at.rows(sql, *values)


def notes(store: Store) -> list[tuple[Any, ...]]:
    return read(store, "SELECT id, text FROM note ORDER BY id")


def contents(store: Store, **options: bool) -> tuple[int, list[tuple[Any, ...]]]:
    with store.contents(PLACES, **options) as (position, rows):
        return position, list(rows)
