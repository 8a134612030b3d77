"""given / when / then for pure decisions: facts in memory, secrets without a vault.

    given(DefineArea(area="aa", name="Aa")).when(RetireArea(area="aa")).then(happened(...))
    given().when(RetireArea(area="aa")).refused(Reason.UNKNOWN_AREA, "area")

What is given is either what happened (`Happened`) or what was done: commands, each decided on what
was given before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from ledger.domain import sealing
from ledger.domain.areas import DefineArea
from ledger.domain.deciding import Command, Occasion, Perspective, S
from ledger.domain.event import Event, Happened
from ledger.domain.organisations import RegisterOrganisation
from ledger.domain.policies import DefinePolicy
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import RegisterCitizen

EARLIER = "2026-01-01T00:00:00.000000Z"
"""When the given commands were decided, unless `at` says otherwise."""
NOW = "2026-03-01T12:00:00.000000Z"
LATER = "2026-06-01T00:00:00.000000Z"

ANNA, BEN, CORA = "a" * 32, "b" * 32, "c" * 32
COMMITMENT = "0f" * 32


class KnownFacts:
    """`Facts` over a list; remembers what was asked about."""

    def __init__(self, past: Sequence[Happened]) -> None:
        self._past = past
        self.asked: list[Perspective[object]] = []

    def about(self, perspective: Perspective[S]) -> S:
        self.asked.append(perspective)  # type: ignore[arg-type]
        state = perspective.start()
        for one in self._past:
            if one.event.type in perspective.types and set(perspective.tags) <= set(one.tags):
                state = state.evolve(one if perspective.tagged else one.event)
        return state


class PlainSecrets:
    """`Secrets` that anybody can compute, and that are the same each time."""

    def pseudonym(self, citizen: str, scope: str) -> str:
        return sha256(f"{citizen} in {scope}".encode()).hexdigest()[:32]

    def question_key(self, question: str) -> str:
        return sha256(f"key of {question}".encode()).hexdigest()

    def seal_commitment(self, question: str) -> str:
        return sealing.seal_commitment(bytes.fromhex(self.question_key(question)))

    def seal(self, question: str, voter: str, marks: Mapping[str, int]) -> str:
        nonce = sha256(f"{voter} {sorted(marks.items())}".encode()).digest()[:12]
        return sealing.sealed(bytes.fromhex(self.question_key(question)), nonce, marks)


SECRETS = PlainSecrets()


def voter(citizen: str, question: str) -> str:
    return SECRETS.pseudonym(citizen, f"question/{question}")


def happened(event: Event, *tags: str) -> Happened:
    return Happened(event, tags)


@dataclass(frozen=True)
class At:
    """A given command that was decided at a moment of its own."""

    now: str
    command: Command


Past = Happened | Command | At


@dataclass
class Decided:
    """What came of a command."""

    happened: Sequence[Happened] | None
    refusal: Refused | None
    asked: list[Perspective[object]] = field(default_factory=list)

    def then(self, *expected: Happened) -> None:
        if self.refusal is not None:
            raise AssertionError(f"refused: {self.refusal.reason}") from self.refusal
        assert list(self.happened or ()) == list(expected)

    def refused(self, reason: Reason, field: str | None = None) -> None:
        assert self.refusal is not None, f"not refused: {self.happened}"
        assert (self.refusal.reason, self.refusal.field) == (reason, field)
        assert self.refusal.detail.endswith(".")

    @property
    def event(self) -> Event:
        """The one event that happened."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert self.happened is not None
        (one,) = self.happened
        return one.event


class Given:
    def __init__(self, past: Sequence[Past]) -> None:
        self.past: list[Happened] = []
        for one in past:
            if isinstance(one, Happened):
                self.past.append(one)
            else:
                now, command = (one.now, one.command) if isinstance(one, At) else (EARLIER, one)
                self.past += command.decide(KnownFacts(self.past), Occasion(now, SECRETS))

    def when(self, command: Command, now: str = NOW) -> Decided:
        facts = KnownFacts(self.past)
        commitment = None if command.private() is None else COMMITMENT
        try:
            events = command.decide(facts, Occasion(now, SECRETS, commitment))
        except Refused as refusal:
            return Decided(None, refusal, facts.asked)
        return Decided(events, None, facts.asked)


def given(*past: Past) -> Given:
    return Given(past)


@dataclass(frozen=True)
class Refusal:
    """A row of a table of refusals."""

    what: str
    past: Sequence[Past]
    command: Command
    reason: Reason
    field: str | None = None
    now: str = NOW

    def check(self) -> None:
        given(*self.past).when(self.command, self.now).refused(self.reason, self.field)


def each(refusals: Sequence[Refusal]) -> pytest.MarkDecorator:
    """A test's parameter `refusal`, once for each row."""
    return pytest.mark.parametrize("refusal", refusals, ids=[one.what for one in refusals])


# A small world. Anna lives in aa/bb/cc; everything was defined earlier.

COUNTRY = DefineArea(area="aa", name="Aa")
TOWN = DefineArea(area="aa/bb", name="Bb")
DISTRICT = DefineArea(area="aa/bb/cc", name="Cc")
OTHER_DISTRICT = DefineArea(area="aa/bb/dd", name="Dd")
CLUB = DefineArea(area="aa/bb/club", name="Club", kind="community")
AREAS = (COUNTRY, TOWN, DISTRICT, OTHER_DISTRICT, CLUB)
HEALTH = DefinePolicy(policy="07", name="Health")
BAKERS = RegisterOrganisation(organisation="bakers", name="Bakers", kind="company", area="aa/bb")
PARENTS = RegisterOrganisation(
    organisation="parents", name="Parents", kind="association", area="aa/bb"
)
ANNA_LIVES_IN_CC = RegisterCitizen(citizen=ANNA, home="aa/bb/cc")
WORLD = (*AREAS, HEALTH, BAKERS, PARENTS, ANNA_LIVES_IN_CC)
