"""The port of a store of read models.

Obligations: the rows of a batch and the position they stand for are written in one transaction; a batch is
written only if the model still stands where the batch began, so that of two workers one does nothing; what a
`Snapshot` reads is of one moment.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from projections.projection import Projection, Rows, Value

Row = tuple[Value, ...]


class StoreUnavailable(Exception):
    """The store could not be read or written. Nothing is lost: it is rebuilt from the log."""


class StoreTooNew(StoreUnavailable):
    """The store was written by a newer version. Install that version, or name another store."""


class Snapshot(Protocol):
    """A view of all models at one moment."""

    def position(self, model: str) -> int:
        """The position that the model stands for; 0 before the first event."""
        ...

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """The rows of a query, with `?` for values."""
        ...


class Store(ABC):
    """See the module's docstring. May be used from any thread."""

    @abstractmethod
    def prepare(self, projection: Projection) -> int:
        """Make the model's tables if need be (anew for a new version), and give its position.

        Raises `StoreTooNew` where the tables are of a newer version than the projection.
        """

    @abstractmethod
    def batch(self, projection: Projection) -> Rows:
        """Rows to fold the next batch into."""

    @abstractmethod
    def advance(self, projection: Projection, rows: Rows, *, after: int, to: int) -> bool:
        """Write the rows and the position, if the model still stands at `after`; else do nothing and say so."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A view to read from."""

    @abstractmethod
    def contents(self, projection: Projection) -> AbstractContextManager[tuple[int, Iterator[Row]]]:
        """The model's position, and all its rows in a fixed order, each with its table's name before it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""
