"""Questions: what an area asks its roll, among them the standing mandates, which have no end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ledger.domain import methods
from ledger.domain.areas import living_area
from ledger.domain.counting import rules
from ledger.domain.counting.rules import Rule
from ledger.domain.deciding import PERSPECTIVES, Command, Facts, Occasion, Perspective, types
from ledger.domain.event import (
    Amount,
    AreaId,
    Digest,
    Event,
    Happened,
    Id,
    Instant,
    OptionId,
    Title,
    Words,
)
from ledger.domain.methods import Method
from ledger.domain.organisations import known_organisation
from ledger.domain.policies import known_policy
from ledger.domain.refusals import Reason, Refused

CHOICE_MADE = "civic.choice.made.v1"
"""The type of a voter's first answer (`choices.ChoiceMade`)."""

ResultsPolicy = Literal["live", "after_close"]


class Option(BaseModel):
    """One thing that can be chosen: an answer, a project with its cost, an organisation's programme."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: OptionId
    title: Title
    cost: Amount | None = None
    organisation: Id | None = None


Options = Annotated[tuple[Option, ...], Field(strict=False, min_length=1, max_length=1_000)]


class Asked(BaseModel):
    """All that a question says. `closes` None: it stands open until somebody closes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    question: Id
    title: Title
    about: Words | None = None
    area: AreaId
    electorate: AreaId
    policy: Id | None = None
    mandate: bool = False
    method: Method
    options: Options
    opens: Instant
    closes: Instant | None = None
    results: ResultsPolicy = "live"
    rule: Rule | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Asked":
        if contradiction := self.contradiction():
            raise ValueError(contradiction)
        return self

    def contradiction(self) -> str | None:
        """What in the question contradicts itself, in a sentence; None where nothing does."""
        ids = [option.id for option in self.options]
        if len(set(ids)) != len(ids):
            twice = sorted({one for one in ids if ids.count(one) > 1})
            return f"options with the same id: {', '.join(twice)}"
        costs = {option.id: option.cost for option in self.options}
        if wrong := methods.misfit(self.method, costs):
            return wrong
        if self.rule is not None and (wrong := rules.misfit(self.rule, self.method, self.options)):
            return wrong
        if self.closes is not None and self.closes <= self.opens:
            return "it closes before it opens"
        if not (self.electorate + "/").startswith(self.area + "/"):
            return f"the electorate {self.electorate!r} is not {self.area!r} or an area inside it"
        if self.mandate and (self.policy is None or self.closes is not None):
            return "a standing mandate is for one policy area and has no end"
        if self.mandate and any(option.organisation is None for option in self.options):
            return "each option of a standing mandate is the programme of an organisation"
        return None


class QuestionOpened(Asked, Event):
    """An area asks its roll. `seal` commits to the key under which marks are kept until the close."""

    type = "civic.question.opened.v1"
    seal: Digest | None = None

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


class QuestionAmended(Event):
    """The question was put differently, before anybody had chosen."""

    type = "civic.question.amended.v1"
    question: Id
    title: Title | None = None
    about: Words | None = None
    options: Options | None = None
    closes: Instant | None = None

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


class QuestionClosed(Event):
    """No more choices are taken."""

    type = "civic.question.closed.v1"
    question: Id

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


class QuestionUnsealed(Event):
    """The question's key is public: everyone can read the marks and count."""

    type = "civic.question.unsealed.v1"
    question: Id
    key: Digest

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


_EVENTS = types(QuestionOpened, QuestionAmended, QuestionClosed, QuestionUnsealed)
QuestionEvent = QuestionOpened | QuestionAmended | QuestionClosed | QuestionUnsealed


@dataclass(frozen=True, slots=True)
class Question:
    """One question as it stands; `asked` is None until it is opened."""

    asked: QuestionOpened | None = None
    closed: bool = False
    key: str | None = None
    costs: Mapping[str, int | None] = field(default_factory=dict)

    def evolve(self, event: QuestionEvent) -> "Question":
        match event:
            case QuestionOpened():
                return _with(self, event)
            case QuestionAmended():
                assert self.asked is not None
                return _with(self, amended(self.asked, event))
            case QuestionClosed():
                return replace(self, closed=True)
            case QuestionUnsealed():
                return replace(self, key=event.key)

    @property
    def sealed(self) -> bool:
        """Whether the marks of new choices must be hidden."""
        return self.asked is not None and self.asked.seal is not None


def amended(asked: QuestionOpened, event: QuestionAmended) -> QuestionOpened:
    """The question with the amendment applied. Raises pydantic's ValidationError where they contradict."""
    changes = event.model_dump(exclude_none=True, exclude={"question"})
    return QuestionOpened.model_validate({**asked.model_dump(), **changes})


def _with(question: Question, asked: QuestionOpened) -> Question:
    return replace(question, asked=asked, costs={one.id: one.cost for one in asked.options})


@lru_cache(PERSPECTIVES)
def question(question_id: str) -> Perspective[Question]:
    return Perspective(
        Question,
        _EVENTS,
        (f"question:{question_id}",),
        shared=True,
    )


@dataclass(frozen=True, slots=True)
class _Mandates:
    """The standing mandates of one policy area in one area that are still open."""

    open: frozenset[str] = frozenset()

    def evolve(self, event: QuestionOpened | QuestionClosed) -> "_Mandates":
        if isinstance(event, QuestionClosed):
            return _Mandates(self.open - {event.question})
        return _Mandates(self.open | {event.question}) if event.mandate else self


def _mandates(area: str, policy: str) -> Perspective[_Mandates]:
    return Perspective(
        _Mandates,
        types(QuestionOpened, QuestionClosed),
        (f"area:{area}", f"policy:{policy}"),
    )


def _check_closes_later(closes: str | None, now: str) -> None:
    if closes is not None and closes <= now:
        raise Refused(
            Reason.CONTRADICTORY_QUESTION, f"It would have closed already, at {closes}.", "closes"
        )


def question_tags(asked: Asked) -> tuple[str, ...]:
    policy = () if asked.policy is None else (f"policy:{asked.policy}",)
    return (f"question:{asked.question}", f"area:{asked.area}", *policy)


def asked_question(facts: Facts, question_id: str) -> tuple[Question, QuestionOpened]:
    """The question, which must have been opened. Raises `Refused`."""
    found = facts.about(question(question_id))
    if found.asked is None:
        raise Refused(Reason.UNKNOWN_QUESTION, f"There is no question {question_id!r}.", "question")
    return found, found.asked


class OpenQuestion(Command):
    """Ask an area's roll something. `electorate` is the whole area and `opens` is now, unless given."""

    verb = "open-question"
    question: Id
    title: Title
    about: Words | None = None
    area: AreaId
    electorate: AreaId | None = None
    policy: Id | None = None
    mandate: bool = False
    method: Method
    options: Options
    opens: Instant | None = None
    closes: Instant | None = None
    results: ResultsPolicy = "live"
    rule: Rule | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "OpenQuestion":
        Asked(
            **{
                **self._fields(),
                "electorate": self.electorate or self.area,
                "opens": self.opens or "0001-01-01T00:00:00Z",
            }
        )
        return self

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(question(self.question)).asked is not None:
            raise Refused(
                Reason.QUESTION_EXISTS,
                f"The question {self.question!r} exists already.",
                "question",
            )
        living_area(facts, self.area)
        if self.electorate is not None:
            living_area(facts, self.electorate, "electorate")
        if self.policy is not None:
            known_policy(facts, self.policy)
        for organisation in {one.organisation for one in self.options if one.organisation}:
            known_organisation(facts, organisation, "options")
        if self.mandate and self.policy is not None:
            standing = facts.about(_mandates(self.area, self.policy)).open
            if standing:
                raise Refused(
                    Reason.MANDATE_EXISTS,
                    f"{self.area!r} has a standing mandate for {self.policy!r}: {min(standing)!r}.",
                    "policy",
                )
        _check_closes_later(self.closes, at.now)
        seal = at.secrets.seal_commitment(self.question) if self.results == "after_close" else None
        event = QuestionOpened(
            **{
                **self._fields(),
                "electorate": self.electorate or self.area,
                "opens": self.opens or at.now,
                "seal": seal,
            }
        )
        return [Happened(event, question_tags(event))]


class CloseQuestion(Command):
    """End a question: an open-ended one at any time, one with a window only when that is over."""

    verb = "close-question"
    question: Id

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found, asked = asked_question(facts, self.question)
        if found.closed:
            raise Refused(Reason.QUESTION_CLOSED, "The question is closed already.", "question")
        if asked.closes is not None and at.now < asked.closes:
            raise Refused(
                Reason.WINDOW_STILL_OPEN, f"People may choose until {asked.closes}.", "question"
            )
        return [Happened(QuestionClosed(question=self.question), question_tags(asked))]


class UnsealQuestion(Command):
    """Publish the key of a closed question whose marks were sealed, so that everyone can count."""

    verb = "unseal-question"
    question: Id

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found, asked = asked_question(facts, self.question)
        if not found.sealed:
            raise Refused(Reason.NOT_SEALED, "The marks of this question were never sealed.")
        if not found.closed:
            raise Refused(Reason.QUESTION_NOT_CLOSED, "Close the question first.", "question")
        if found.key is not None:
            raise Refused(Reason.NOT_SEALED, "The question is unsealed already.", "question")
        event = QuestionUnsealed(question=self.question, key=at.secrets.question_key(self.question))
        return [Happened(event, question_tags(asked))]


@dataclass(frozen=True, slots=True)
class _AnyChoice:
    """Whether anybody has ever chosen."""

    made: bool = False

    def evolve(self, event: Event) -> "_AnyChoice":
        return _AnyChoice(made=True)


class AmendQuestion(Command):
    """Put a question differently, as long as nobody has chosen."""

    verb = "amend-question"
    question: Id
    title: Title | None = None
    about: Words | None = None
    options: Options | None = None
    closes: Instant | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found, asked = asked_question(facts, self.question)
        if found.closed:
            raise Refused(Reason.QUESTION_CLOSED, "The question is closed.", "question")
        first_choice = Perspective(_AnyChoice, (CHOICE_MADE,), (f"question:{self.question}",))
        if facts.about(first_choice).made:
            raise Refused(
                Reason.QUESTION_HAS_CHOICES,
                "Somebody has chosen; ask a new question instead.",
                "question",
            )
        _check_closes_later(self.closes, at.now)
        event = QuestionAmended(**{name: getattr(self, name) for name in type(self).model_fields})
        try:
            amended(asked, event)
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ").rstrip(".")
            raise Refused(
                Reason.CONTRADICTORY_QUESTION,
                f"Put like this, the question contradicts itself: {said}.",
                "question",
            ) from error
        return [Happened(event, question_tags(asked))]
