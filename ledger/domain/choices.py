"""Choices: a citizen's one current answer to a question. Its weight is always one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.domain.areas import areas
from ledger.domain.deciding import (
    PERSPECTIVES,
    CitizenCommand,
    Facts,
    Occasion,
    Perspective,
    Private,
    Secrets,
    types,
)
from ledger.domain.event import AreaId, Digest, Event, Happened, Id, Marks, Pseudonym, Words
from ledger.domain.methods import illegality
from ledger.domain.questions import (
    CHOICE_MADE,
    Question,
    QuestionOpened,
    asked_question,
)
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import Citizen, citizen


class Answer(BaseModel):
    """What was chosen, from which area: the marks, or the marks sealed until the question is over."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    area: AreaId
    marks: Marks | None = None
    sealed: str | None = Field(default=None, max_length=20_000)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Answer":
        if (self.marks is None) == (self.sealed is None):
            raise ValueError("an answer holds either marks or sealed marks")
        return self


class _ChoiceEvent(Event):
    question: Id
    voter: Pseudonym

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


class ChoiceMade(_ChoiceEvent):
    """A voter answered a question."""

    type = CHOICE_MADE
    answer: Answer
    private: Digest | None = None


class ChoiceChanged(_ChoiceEvent):
    """A voter answered again; `previous` no longer counts. It is given so that a count needs no look-up."""

    type = "civic.choice.changed.v1"
    answer: Answer
    previous: Answer
    private: Digest | None = None


class ChoiceWithdrawn(_ChoiceEvent):
    """A voter took their answer back."""

    type = "civic.choice.withdrawn.v1"
    previous: Answer


class ChoiceLapsed(_ChoiceEvent):
    """An answer no longer counts, since the citizen left the electorate."""

    type = "civic.choice.lapsed.v1"
    previous: Answer


ChoiceEvent = ChoiceMade | ChoiceChanged | ChoiceWithdrawn | ChoiceLapsed
CHOICE_TYPES = types(ChoiceMade, ChoiceChanged, ChoiceWithdrawn, ChoiceLapsed)


def standing_after(event: ChoiceEvent) -> Answer | None:
    """The answer that counts once `event` has happened."""
    return event.answer if isinstance(event, ChoiceMade | ChoiceChanged) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """The one answer of a voter that counts, or none."""

    answer: Answer | None = None

    def evolve(self, event: ChoiceEvent) -> "Standing":
        return Standing(standing_after(event))


class Ballots:
    """All standing answers to one question, by voter. Grows with the question; never kept between decisions."""

    def __init__(self) -> None:
        self.by_voter: dict[str, Answer] = {}

    def evolve(self, event: ChoiceEvent) -> "Ballots":
        answer = standing_after(event)
        if answer is None:
            self.by_voter.pop(event.voter, None)
        else:
            self.by_voter[event.voter] = answer
        return self


class StandingChoices:
    """The questions to which one citizen has a standing answer."""

    def __init__(self) -> None:
        self.questions: set[str] = set()

    def evolve(self, event: ChoiceEvent) -> "StandingChoices":
        if standing_after(event) is None:
            self.questions.discard(event.question)
        else:
            self.questions.add(event.question)
        return self


@lru_cache(PERSPECTIVES)
def standing(voter: str) -> Perspective[Standing]:
    return Perspective(Standing, CHOICE_TYPES, (f"voter:{voter}",), latest=True)


def ballots(question_id: str) -> Perspective[Ballots]:
    return Perspective(Ballots, CHOICE_TYPES, (f"question:{question_id}",))


def standing_choices(citizen_id: str) -> Perspective[StandingChoices]:
    return Perspective(StandingChoices, CHOICE_TYPES, (f"citizen:{citizen_id}",))


class _ChoiceCommand(CitizenCommand):
    question: Id

    def _happened(self, event: ChoiceEvent) -> Sequence[Happened]:
        tags = (f"question:{self.question}", f"voter:{event.voter}", f"citizen:{self.citizen}")
        return [Happened(event, tags)]

    def _voter(self, secrets: Secrets) -> str:
        return secrets.pseudonym(self.citizen, f"question/{self.question}")

    def foresees(self, secrets: Secrets) -> Sequence[Perspective[Any]]:
        return (citizen(self.citizen), standing(self._voter(secrets)))


class MakeChoice(_ChoiceCommand):
    """Answer a question, or answer it anew: the latest answer is the one that counts."""

    verb = "make-choice"
    marks: Marks
    comment: Words | None = None

    def private(self) -> Private | None:
        return {"comment": self.comment} if self.comment else None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found, asked = _open_question(facts, self.question, at.now)
        person = _elector(facts.about(citizen(self.citizen)), asked)
        if reason := illegality(asked.method, self.marks, found.costs):
            raise Refused(Reason.ILLEGAL_MARKS, reason, "marks")
        voter = self._voter(at.secrets)
        answer = self._answer(facts, at, asked, person, voter)
        previous = facts.about(standing(voter)).answer
        event: ChoiceEvent
        if previous is None:
            event = ChoiceMade(
                question=self.question, voter=voter, answer=answer, private=at.commitment
            )
        else:
            event = ChoiceChanged(
                question=self.question,
                voter=voter,
                answer=answer,
                previous=previous,
                private=at.commitment,
            )
        return self._happened(event)

    def _answer(
        self, facts: Facts, at: Occasion, asked: QuestionOpened, person: Citizen, voter: str
    ) -> Answer:
        area = asked.electorate
        if person.home is not None and person.home.startswith(area + "/"):
            area = facts.about(areas()).smallest_publishable(person.home, within=area)
        if asked.seal is None:
            return Answer(area=area, marks=self.marks)
        return Answer(area=area, sealed=at.secrets.seal(self.question, voter, self.marks))


class WithdrawChoice(_ChoiceCommand):
    """Take one's answer back while the question is open."""

    verb = "withdraw-choice"

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        _open_question(facts, self.question, at.now)
        voter = self._voter(at.secrets)
        previous = _standing_answer(facts, voter)
        return self._happened(
            ChoiceWithdrawn(question=self.question, voter=voter, previous=previous)
        )


class LapseChoice(_ChoiceCommand):
    """End an answer to an open question whose electorate the citizen has left."""

    verb = "lapse-choice"

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        _, asked = _open_question(facts, self.question, at.now)
        if facts.about(citizen(self.citizen)).belongs_to(asked.electorate):
            raise Refused(Reason.STILL_BELONGS, f"They still belong to {asked.electorate!r}.")
        voter = self._voter(at.secrets)
        previous = _standing_answer(facts, voter)
        return self._happened(ChoiceLapsed(question=self.question, voter=voter, previous=previous))


def _open_question(facts: Facts, question_id: str, now: str) -> tuple[Question, QuestionOpened]:
    found, asked = asked_question(facts, question_id)
    if found.closed:
        raise Refused(Reason.QUESTION_CLOSED, "The question is closed.", "question")
    if now < asked.opens:
        raise Refused(Reason.NOT_OPEN_YET, f"People may choose from {asked.opens} on.", "question")
    if asked.closes is not None and now >= asked.closes:
        raise Refused(Reason.WINDOW_OVER, f"People could choose until {asked.closes}.", "question")
    return found, asked


def _elector(person: Citizen, asked: QuestionOpened) -> Citizen:
    if not person.registered:
        raise Refused(Reason.NOT_REGISTERED, "This person is not registered.", "citizen")
    if not person.belongs_to(asked.electorate):
        raise Refused(
            Reason.NOT_ON_THE_ROLL,
            f"Only the roll of {asked.electorate!r} may choose here.",
            "citizen",
        )
    return person


def _standing_answer(facts: Facts, voter: str) -> Answer:
    answer = facts.about(standing(voter)).answer
    if answer is None:
        raise Refused(Reason.NO_STANDING_CHOICE, "There is no standing choice to end.", "question")
    return answer
