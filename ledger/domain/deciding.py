"""How a decision is taken: facts in, events or a refusal out. Pure: time, ids and secrets come in as arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from ledger.domain.event import Event, Happened, Pseudonym


class State(Protocol):
    """What the events of one perspective add up to."""

    def evolve(self, event: Any) -> Self:
        """The state after `event`."""
        ...


S = TypeVar("S", bound=State)


class Perspective(NamedTuple, Generic[S]):
    """The events that a piece of knowledge rests on, and how they fold.

    An event belongs when its type is in `types` and it has all `tags`. `shared` marks knowledge that many
    decisions rest on (a question, the areas), which is worth keeping between them. `tagged` asks for each event
    together with its tags (as `Happened`), for the rare state that needs them. `latest` says that the state is
    what the last event alone makes of it, however many there were before.
    """

    start: Callable[[], S]
    types: tuple[str, ...]
    tags: tuple[str, ...] = ()
    shared: bool = False
    tagged: bool = False
    latest: bool = False


PERSPECTIVES = 8_192
"""How many perspectives of a kind are remembered: a batch of decisions asks about each more than once."""


class Facts(Protocol):
    """What a decision may know. Everything that it asks about becomes part of its consistency boundary:
    if one more event of those perspectives is recorded meanwhile, the decision is taken again."""

    def about(self, perspective: Perspective[S]) -> S:
        """The state folded from all events of the perspective that are in the log."""
        ...


class Secrets(Protocol):
    """What only the vault can compute (design, section 7)."""

    def pseudonym(self, citizen: str, scope: str) -> str:
        """The citizen's name within one scope: HMAC-SHA-256 under their own key, 128 bits in hex."""
        ...

    def seal_commitment(self, question: str) -> str:
        """SHA-256, in hex, of the key under which the question's marks will be sealed."""
        ...

    def seal(self, question: str, voter: str, marks: Mapping[str, int]) -> str:
        """The marks, encrypted under the question's key."""
        ...

    def question_key(self, question: str) -> str:
        """The question's key in hex. Only `UnsealQuestion` may ask for it."""
        ...


class Occasion(NamedTuple):
    """The circumstances of one decision: when, with which secrets, and the commitment to its private part."""

    now: str
    secrets: Secrets
    commitment: str | None = None


class Command(BaseModel):
    """An intention. `decide` answers with what happens, or raises `Refused`; `verb` is its public name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    verb: ClassVar[str]

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        raise NotImplementedError

    def private(self) -> "Private | None":
        """What the command holds of a person's own details or words; it goes to the vault alone."""
        return None

    def foresees(self, secrets: Secrets) -> Sequence[Perspective[Any]]:
        """Perspectives that `decide` will ask about, so that many decisions can be read for in one go."""
        return ()


class CitizenCommand(Command):
    """An intention of, or about, one citizen."""

    citizen: Pseudonym


Private = Mapping[str, str]


def types(*events: type[Event]) -> tuple[str, ...]:
    return tuple(event.type for event in events)
