"""The port of a store of read models.

Obligations, checked by `tests/contracts/store.py` on every store:

- **Together**: the rows of a batch and the position they stand for are written in one transaction.
- **Once**: a batch is written only if the model still stands where the batch began. Of two workers that fold the
  same events one writes; the other waits for that, finds the model advanced, and writes nothing.
- **One moment**: what a `Snapshot` reads is of one moment, also while a model's new generation takes over.

A model's tables exist in **generations**, one set each. Readers use the tables' plain names, which are views of
the generation that is live. Another one may be built beside it, and takes its place in one transaction; the
former is kept, to be brought back, until the next is built. See `docs/decisions/0009-generations-behind-views.md`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import NamedTuple, Protocol

from projections.projection import Projection, Rows, Value

Row = tuple[Value, ...]

SHARD = 0
"""The only shard there is so far. A position is kept for each shard of a log."""


class StoreUnavailable(Exception):
    """The store could not be read or written. Nothing is lost: it is rebuilt from the log."""


class StoreTooNew(StoreUnavailable):
    """The store was written by a newer version. Install that version, or name another store."""


class NothingToBringBack(Exception):
    """No former generation is kept that this program could catch up. The message says what there is."""


class State(StrEnum):
    """What a generation is: read by all, being built, kept after it was read, or caught up to be read again."""

    LIVE = "live"
    BUILDING = "building"
    KEPT = "kept"
    RETURNING = "returning"


class Halt(NamedTuple):
    """Why a model stands still: the event at this position cannot be folded. It is never skipped."""

    position: int
    type: str
    reason: str


class Generation(NamedTuple):
    """One set of a model's tables, as it stood when it was looked up. Numbers of one model grow."""

    model: str
    number: int
    version: int
    state: State
    position: int
    halt: Halt | None = None


class Work(NamedTuple):
    """What a worker tells of one model that it folds: events a second, and what went wrong last.

    `seen` is when it said so, in seconds since 1970.
    """

    worker: str
    model: str
    rate: int
    seen: int
    error: str | None = None


class Snapshot(Protocol):
    """A view of all models at one moment."""

    def position(self, model: str) -> int:
        """The position that the model stands for; 0 before the first event."""
        ...

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """The rows of a query, with `?` for values.

        The SQL is what SQLite and PostgreSQL understand alike. Text is compared by its bytes; a sum is a whole
        number; give the order of rows wherever it matters, and none that depends on nulls.
        """
        ...


class Store(ABC):
    """See the module's docstring. May be used from any thread."""

    @abstractmethod
    def prepare(self, projection: Projection) -> Generation:
        """The generation that a worker with this projection advances; made, if need be.

        It is the live one if that is of the projection's version. For a newer version one is built beside it; it
        is live at once where there is no other, or where the tables of the other have not all columns that this
        version's readers ask for. Raises `StoreTooNew` where the live one is of a newer version than the projection.
        """

    @abstractmethod
    def rebuild(self, projection: Projection) -> Generation:
        """The generation that is being built beside the live one; begun, unless an interrupted one can go on.

        What was kept of former generations is dropped. Raises `StoreTooNew`.
        """

    @abstractmethod
    def bring_back(self, projection: Projection) -> Generation:
        """The former generation, to be caught up again and then to `go_live`.

        Raises `NothingToBringBack`, also where it is of another version than the projection, which could not
        catch it up.
        """

    @abstractmethod
    def go_live(self, generation: Generation) -> bool:
        """Let readers see this generation, and keep the one they saw until now; in one transaction.

        Does nothing and says so if it has not come as far as that one.
        """

    @abstractmethod
    def look_up(self, model: str, number: int) -> Generation:
        """The generation as it stands now. Raises `StoreUnavailable` if it was dropped."""

    @abstractmethod
    def generations(self) -> list[Generation]:
        """All there are, by model and number."""

    @abstractmethod
    def batch(self, generation: Generation) -> Rows:
        """Rows to fold the next batch into."""

    @abstractmethod
    def advance(self, generation: Generation, rows: Rows, *, after: int, to: int) -> bool:
        """Write the rows and the position, if the model still stands at `after`; else do nothing and say so.

        A generation that is kept is not advanced.
        """

    @abstractmethod
    def halt(self, generation: Generation, halt: Halt) -> None:
        """Let everybody know that the model stands still. The next `advance` takes it back."""

    @abstractmethod
    def report(self, work: Sequence[Work]) -> None:
        """Note what workers tell of themselves, over what they said before."""

    @abstractmethod
    def forget(self, worker: str) -> None:
        """A worker has ended: drop what it told."""

    @abstractmethod
    def work(self) -> list[Work]:
        """What workers told last, by model and worker. One that was killed is there for a day."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A view to read from."""

    @abstractmethod
    def contents(
        self, projection: Projection, *, with_personal: bool = False
    ) -> AbstractContextManager[tuple[int, Iterator[Row]]]:
        """The model's position, and the rows of its tables in a fixed order, each with its table's name before it.

        Tables come by name, rows by key: text by its bytes in UTF-8, whole numbers by size. Personal tables are
        left out, unless asked for.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""
