"""What follows from a count: the decision (by whom, by which rule, why), then how far it is implemented."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ledger.domain.choices import Answer, ballots
from ledger.domain.counting.rules import Outcome, Rule, apply, needs_roll
from ledger.domain.deciding import Command, Facts, Occasion, Perspective, types
from ledger.domain.event import Digest, Event, Happened, Id, OptionId, Title, Words
from ledger.domain.organisations import known_organisation
from ledger.domain.questions import Question, QuestionOpened, asked_question, question_tags
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import roll
from ledger.domain.sealing import unsealed

OptionIds = Annotated[tuple[OptionId, ...], Field(strict=False, max_length=1_000)]
Stage = Literal["planned", "under-way", "implemented", "abandoned"]


class Evidence(BaseModel):
    """Where an outcome can be seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: Title
    address: Title
    sha256: Digest | None = None


class DecisionRecorded(Event):
    """It was decided. With a rule, `adopted` follows from the choices recorded before this event and from
    nothing else: no choice can come between the count and the decision. `tied` are the options among which
    the rule cannot choose; nobody broke the tie."""

    type = "civic.decision.recorded.v1"
    question: Id
    by: Id | None = None
    rule: Rule | None = None
    voters: int
    adopted: OptionIds
    tied: OptionIds = ()
    reason: Words

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


class OutcomeReported(Event):
    """How far an adopted option is implemented, with what evidence."""

    type = "civic.outcome.reported.v1"
    question: Id
    option: OptionId
    stage: Stage
    percent: Annotated[int, Field(ge=0, le=100)]
    by: Id | None = None
    about: Words | None = None
    evidence: Annotated[tuple[Evidence, ...], Field(strict=False, max_length=50)] = ()

    @property
    def subject(self) -> str:
        return f"question/{self.question}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a question, last; `adopted` is None before the first decision."""

    adopted: tuple[str, ...] | None = None

    def evolve(self, event: DecisionRecorded) -> "Decision":
        return replace(self, adopted=event.adopted)


def decision(question_id: str) -> Perspective[Decision]:
    return Perspective(Decision, types(DecisionRecorded), (f"question:{question_id}",))


@dataclass(slots=True)
class Profile:
    """The distinct ballots of a count, and how many voters cast each."""

    voters: int = 0
    weights: Counter[tuple[tuple[str, int], ...]] = field(default_factory=Counter)

    def weighted(self) -> list[tuple[Mapping[str, int], int]]:
        return [(dict(marks), times) for marks, times in self.weights.items()]


def profile(answers: Mapping[str, Answer], key: str | None) -> Profile:
    """The standing answers of a question, by their marks; sealed ones are opened with the question's key."""
    found = Profile(voters=len(answers))
    for answer in answers.values():
        marks = answer.marks
        if marks is None:
            assert key is not None
            assert answer.sealed is not None
            marks = unsealed(key, answer.sealed)
        found.weights[tuple(sorted(marks.items()))] += 1
    return found


class RecordDecision(Command):
    """Decide a question. Where it has a rule, the rule alone decides; where it has none, `adopted` and
    `reason` say what the responsible body decided and why."""

    verb = "record-decision"
    question: Id
    by: Id | None = None
    adopted: OptionIds | None = None
    reason: Words | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found, asked = asked_question(facts, self.question)
        self._check_stage(facts, found, asked)
        if self.by is not None:
            known_organisation(facts, self.by, "by")
        counted = profile(facts.about(ballots(self.question)).by_voter, found.key)
        outcome = self._outcome(facts, asked, counted)
        event = DecisionRecorded(
            question=self.question,
            by=self.by,
            rule=asked.rule,
            voters=counted.voters,
            adopted=outcome.adopted,
            tied=outcome.tied,
            reason=outcome.reason,
        )
        return [Happened(event, (*question_tags(asked), *_by(self.by)))]

    def _check_stage(self, facts: Facts, found: Question, asked: QuestionOpened) -> None:
        if not found.closed and asked.closes is not None:
            raise Refused(
                Reason.QUESTION_NOT_CLOSED, f"People may choose until {asked.closes}.", "question"
            )
        if found.sealed and found.key is None:
            raise Refused(Reason.STILL_SEALED, "Close and unseal the question first.", "question")
        if found.closed and facts.about(decision(self.question)).adopted is not None:
            raise Refused(Reason.ALREADY_DECIDED, "The decision is recorded already.", "question")

    def _outcome(self, facts: Facts, asked: QuestionOpened, counted: Profile) -> Outcome:
        if asked.rule is not None:
            if self.adopted is not None or self.reason is not None:
                raise Refused(
                    Reason.CONTRADICTORY_QUESTION,
                    f"The rule {asked.rule.name!r} decides this question; give neither options nor a reason.",
                    "adopted",
                )
            size = facts.about(roll(asked.electorate)).size if needs_roll(asked.rule) else 0
            return apply(
                asked.rule, asked.method, asked.options, counted.weighted(), roll_size=size
            )
        if self.adopted is None or self.reason is None:
            raise Refused(
                Reason.NO_RULE,
                "The question has no rule: say which options are adopted, and why.",
                "adopted",
            )
        unknown = set(self.adopted) - {option.id for option in asked.options}
        if unknown:
            raise Refused(
                Reason.NOT_ADOPTED,
                f"Not options of this question: {', '.join(sorted(unknown))}.",
                "adopted",
            )
        return Outcome(adopted=self.adopted, tied=(), reason=self.reason)


class ReportOutcome(Command):
    """Report how far an adopted option is implemented."""

    verb = "report-outcome"
    question: Id
    option: OptionId
    stage: Stage
    percent: Annotated[int, Field(ge=0, le=100)]
    by: Id | None = None
    about: Words | None = None
    evidence: Annotated[tuple[Evidence, ...], Field(strict=False, max_length=50)] = ()

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        _, asked = asked_question(facts, self.question)
        adopted = facts.about(decision(self.question)).adopted
        if adopted is None:
            raise Refused(Reason.NOT_DECIDED, "No decision is recorded yet.", "question")
        if self.option not in adopted:
            raise Refused(Reason.NOT_ADOPTED, f"{self.option!r} was not adopted.", "option")
        if self.by is not None:
            known_organisation(facts, self.by, "by")
        event = OutcomeReported(**{name: getattr(self, name) for name in type(self).model_fields})
        return [Happened(event, (*question_tags(asked), *_by(self.by)))]


def _by(organisation: str | None) -> tuple[str, ...]:
    return () if organisation is None else (f"organisation:{organisation}",)
