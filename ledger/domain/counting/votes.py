"""Rules that compare an option's votes with those of the others, or with the number of voters."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.domain.counting.outcome import Count, Outcome, RuleModel, listed, several
from ledger.domain.counting.tally import OptionTally, Tally, first_choices, support
from ledger.domain.methods import Number

Part = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class Plurality(RuleModel):
    """The options with the most votes are adopted, as many as there are seats.

    Votes are the voters who mark the option positively; where options are ranked, those who rank it
    first; where they get scores or points, the sum of these. An option without votes gets no seat.
    """

    decides: ClassVar = ("single", "approval", "ranking", "score", "points", "agreement")
    name: Literal["plurality"] = "plurality"
    seats: Number = 1

    def outcome(self, count: Count) -> Outcome:
        if count.method.kind == "ranking":
            first = first_choices(count.costs, count.profile)
            return _highest(count, first, self.seats, "first choice")
        unit = "point" if count.method.kind in ("score", "points") else "vote"
        return _highest(count, support(count.method, count.costs, count.profile), self.seats, unit)


class MostApproved(RuleModel):
    """The options that most voters approve, or agree to, win, as many as there are seats."""

    decides: ClassVar = ("single", "approval", "agreement")
    name: Literal["approval"] = "approval"
    seats: Number = 1

    def outcome(self, count: Count) -> Outcome:
        approvals = support(count.method, count.costs, count.profile)
        return _highest(count, approvals, self.seats, "vote")


class Share(BaseModel):
    """A share in whole numbers, above 0 and at most 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numerator: Part
    denominator: Part

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if self.numerator > self.denominator:
            raise ValueError("a share must not exceed 1")
        return self

    def reached(self, part: int, whole: int) -> bool:
        return whole > 0 and part * self.denominator >= whole * self.numerator

    def exceeded(self, part: int, whole: int) -> bool:
        return part * self.denominator > whole * self.numerator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


class Threshold(RuleModel):
    """Every option that enough of the voters want is adopted, each judged for itself: no ties.

    The share is of all who chose; by the method agreement, it is of those who agree or disagree,
    so that a pass decides nothing. It must be reached, or, with `exceed`, exceeded ("more than
    half"). `quorum` is the share of the roll that must have chosen at all, a pass included.
    """

    decides: ClassVar = ("single", "approval", "agreement")
    name: Literal["threshold"] = "threshold"
    share: Share
    exceed: Annotated[bool, Field(strict=True)] = False
    quorum: Share | None = None

    def outcome(self, count: Count) -> Outcome:
        voters = count.voters
        if self.quorum and not self.quorum.reached(voters, count.roll_size):
            chose = f"{voters:,} of {count.roll_size:,} on the roll chose"
            return Outcome((), (), f"Only {chose}; the quorum is {self.quorum} of the roll.")
        passes = self.share.exceeded if self.exceed else self.share.reached
        adopted, shares = [], []
        for option in Tally.of(count.costs, count.profile).options:
            wanting = option.by_mark.get(1, 0)
            judging = _decided(option) if count.method.kind == "agreement" else voters
            shares.append(f"{option.id} has {wanting:,} of {judging:,}")
            if passes(wanting, judging):
                adopted.append(option.id)
        needed = f"{'more than' if self.exceed else 'at least'} {self.share}"
        whom = "those who agree or disagree" if count.method.kind == "agreement" else "the voters"
        reason = f"An option is adopted with {needed} of {whom}: {listed(shares)}."
        return Outcome(tuple(adopted), (), reason)


def _decided(option: OptionTally) -> int:
    return option.by_mark.get(1, 0) + option.by_mark.get(-1, 0)


def _highest(count: Count, votes: Mapping[str, int], seats: int, unit: str) -> Outcome:
    running = sorted((option for option in votes if votes[option] > 0), key=lambda o: -votes[o])
    if not running:
        return Outcome((), (), f"{several(count.voters, 'voter')} chose; no option has a {unit}.")
    last = votes[running[min(seats, len(running)) - 1]]
    level = [option for option in running if votes[option] == last]
    above = [option for option in running if votes[option] > last]
    figures = [f"{option} has {several(votes[option], unit)}" for option in running]
    chose = f"{several(count.voters, 'voter')} chose for {several(seats, 'seat')}"
    if len(above) + len(level) <= seats:
        return Outcome(count.in_order(above + level), (), f"{chose}: {listed(figures)}.")
    open_seats = several(seats - len(above), "seat")
    tie = f"{listed(level)} are level, with {open_seats} for them: the rule cannot choose"
    return Outcome(
        count.in_order(above), count.in_order(level), f"{chose}: {listed(figures)}. {tie}."
    )
