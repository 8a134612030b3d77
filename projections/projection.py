"""What a projection is: a name, a version, tables, and a pure fold of events into their rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.codec import decode
from ledger.domain.event import Event
from ledger.eventlog.port import Record

Value = str | int | None
Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)  # looked up for every row: by identity is fastest
class Table:
    """Columns are text unless they stand in `whole`. Values are text, whole numbers or null, nothing else.

    The rows of a `personal` table go when a person is erased, so they are no part of a digest
    (`projections.digest`).
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    whole: frozenset[str] = frozenset()
    indexes: tuple[tuple[str, ...], ...] = ()
    personal: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.key + self.values


class Folded(NamedTuple):
    """One event with what a read model may know of it beside its payload."""

    position: int
    type: str
    time: str
    subject: str
    event: Event
    tags: tuple[str, ...]

    @property
    def day(self) -> str:
        return self.time[:10]

    def tagged(self, kind: str) -> str | None:
        """The first tag of a kind, without its prefix."""
        prefix = kind + ":"
        for tag in self.tags:
            if tag.startswith(prefix):
                return tag[len(prefix) :]
        return None


def folded(record: Record) -> Folded:
    """Raises `ledger.codec.UnknownEvent` for what this version cannot read."""
    _, type_, time, subject, event = decode(record.entry)
    return Folded(record.position, type_, time, subject, event, record.tags)


class Rows:
    """The changes of one batch, kept in memory until they are written with the position they stand for."""

    def __init__(
        self,
        read: Callable[[Table, Key], Key | None],
        read_all: Callable[[Table, Value], Mapping[Key, Key]],
    ) -> None:
        self._read = read
        self._read_all = read_all
        self._seen: dict[Table, dict[Key, Key | None]] = {}
        self.put_rows: dict[Table, dict[Key, Key | None]] = {}
        self.sums: dict[Table, dict[Key, list[int]]] = {}

    def get(self, table: Table, key: Key) -> Key | None:
        """The values of a row as they now stand, or None."""
        rows = self.put_rows.get(table)
        if rows is not None and key in rows:
            return rows[key]
        seen = self._seen.setdefault(table, {})
        if key not in seen:
            seen[key] = self._read(table, key)
        return seen[key]

    def all_of(self, table: Table, first: Value) -> list[Key]:
        """The values of all rows whose key begins with `first`, in the order of their keys."""
        found: dict[Key, Key | None] = dict(self._read_all(table, first))
        changed = self.put_rows.get(table, {})
        found.update((key, values) for key, values in changed.items() if key[0] == first)
        return [values for _, values in sorted(found.items(), key=_by_key) if values is not None]

    def put(self, table: Table, key: Key, *values: Value) -> None:
        self.put_rows.setdefault(table, {})[key] = values

    def delete(self, table: Table, key: Key) -> None:
        self.put_rows.setdefault(table, {})[key] = None

    def add(self, table: Table, key: Key, *changes: int) -> None:
        """Add to the whole numbers of a row, which starts at zeros. A table is either put or added to."""
        sums = self.sums.setdefault(table, {})
        row = sums.get(key)
        if row is None:
            sums[key] = list(changes)
        else:
            for column, change in enumerate(changes):
                row[column] += change


def _by_key(row: tuple[Key, Key | None]) -> tuple[str, ...]:
    return tuple(map(str, row[0]))


class Projection(ABC):
    """One read model. `fold` depends on nothing but the events and the rows: replayed, it gives the same.

    Whoever changes the tables or what is folded into them gives the model a higher `version`: it is then built
    anew beside the one that is read (`projections.stores.port`).
    """

    name: str
    version: int
    tables: tuple[Table, ...]

    @abstractmethod
    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        """Fold events, in order, into the rows. The result must not depend on how events come in batches."""
