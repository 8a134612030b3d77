"""What a question's rule gives, from a count of our own.

The rules themselves are the one thing that is not said a second time: `ledger.domain.counting` is a published
function of a count, held against the files of Pabulib, pabutools and pref_voting by its tests, and knows nothing of
any log (docs/decisions/0011).
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from services.audit.counting import Counted, Job, Profile, counted

if TYPE_CHECKING:  # slow to import, and only needed where there is a decision
    from pydantic import TypeAdapter

    from ledger.domain.counting.rules import Rule
    from ledger.domain.methods import Method


class Given(NamedTuple):
    """A decision that was recorded, and what it takes to decide again."""

    job: Job
    rule: dict[str, Any]
    roll: int


class Decided(NamedTuple):
    """What the rule gives. `missing` says what is not installed, where it could not be asked."""

    counted: Counted
    adopted: list[str]
    tied: list[str]
    missing: str | None = None

    @property
    def voters(self) -> int:
        return sum(area.voters for area in self.counted.areas.values())


class _Option(NamedTuple):
    id: str
    cost: int | None


def decide(given: Given) -> Decided:
    """Decide again."""
    from ledger.domain.counting import rules

    profile: Profile = []
    count = counted(given.job, profile)
    options = [_Option(*one) for one in given.job.costs.items()]
    method, rule = _method(given.job.method), _rule(given.rule)
    try:
        outcome = rules.apply(rule, method, options, profile, given.roll)
    except rules.CountingLibraryMissing as error:
        return Decided(count, [], [], str(error))
    return Decided(count, list(outcome.adopted), list(outcome.tied))


def contradiction(asked: Mapping[str, Any]) -> str | None:
    """What in a question's method, rule and options does not fit together; None if all does."""
    from pydantic import ValidationError

    from ledger.domain import methods
    from ledger.domain.counting import rules

    options = [_Option(one["id"], one.get("cost")) for one in asked["options"]]
    try:
        method = _method(asked["method"])
        if wrong := methods.misfit(method, {one.id: one.cost for one in options}):
            return wrong
        if "rule" in asked:
            return rules.misfit(_rule(asked["rule"]), method, options)
    except ValidationError as error:
        return f"a method or a rule of another form: {error.errors()[0]['msg']}"
    return None


def _method(content: Mapping[str, Any]) -> "Method":
    from ledger.domain.methods import Method

    found: Method = _reader(Method).validate_python(content)
    return found


def _rule(content: Mapping[str, Any]) -> "Rule":
    from ledger.domain.counting.rules import Rule

    found: Rule = _reader(Rule).validate_python(content)
    return found


@cache
def _reader(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
