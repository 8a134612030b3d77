"""Rules as models: what stands in an event, what fits what, and what Pabulib's names mean."""

import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from ledger.domain.counting.rules import (
    EqualShares,
    Greedy,
    InstantRunoff,
    MostApproved,
    Plurality,
    Rule,
    Schulze,
    Share,
    Threshold,
    apply,
    misfit,
    needs_roll,
    pabulib_rule,
)
from ledger.domain.methods import Agreement, Approval, Method, Points, Ranking, Score, Single
from tests.unit.counting import approved, decide, priced

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
HALF = Share(numerator=1, denominator=2)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ('{"name":"plurality"}', Plurality()),
        ('{"name":"plurality","seats":2}', Plurality(seats=2)),
        ('{"name":"approval"}', MostApproved()),
        (
            '{"name":"threshold","share":{"numerator":1,"denominator":2}}',
            Threshold(share=HALF),
        ),
        ('{"name":"greedy","budget":9}', Greedy(budget=9)),
        (
            '{"name":"greedy-threshold","budget":9,"threshold":3}',
            Greedy(name="greedy-threshold", budget=9, threshold=3),
        ),
        ('{"name":"greedy-no-skip","budget":9}', Greedy(name="greedy-no-skip", budget=9)),
        (
            '{"name":"greedy-exclusive","budget":9,"exclusions":[["a","b"]]}',
            Greedy(name="greedy-exclusive", budget=9, exclusions=(("a", "b"),)),
        ),
        (
            '{"name":"equal-shares","budget":9,"completion":"add1"}',
            EqualShares(budget=9, completion="add1"),
        ),
        ('{"name":"instant-runoff"}', InstantRunoff()),
        ('{"name":"schulze"}', Schulze()),
    ],
)
def test_a_rule_as_it_is_written(written: str, rule: Rule) -> None:
    assert RULE.validate_json(written) == rule
    assert RULE.validate_json(RULE.dump_json(rule)) == rule


@pytest.mark.parametrize(
    "written",
    ['{"name":"dictator"}', '{"name":"plurality","seats":0}', '{"name":"greedy","budget":"9"}'],
)
def test_a_rule_that_makes_no_sense_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        RULE.validate_json(written)


METHODS: list[Method] = [
    Single(),
    Approval(),
    Ranking(),
    Score(max_mark=5),
    Points(total=5),
    Agreement(),
]


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        (Plurality(), "single approval ranking score points agreement"),
        (MostApproved(), "single approval agreement"),
        (Threshold(share=HALF), "single approval agreement"),
        (Greedy(budget=9), "single approval ranking score points agreement"),
        (EqualShares(budget=9), "single approval"),
        (InstantRunoff(), "ranking"),
        (Schulze(), "ranking"),
    ],
)
def test_which_methods_a_rule_can_decide(rule: Rule, kinds: str) -> None:
    options = priced({"a": 1, "b": 2})
    fitting = [method.kind for method in METHODS if misfit(rule, method, options) is None]
    assert fitting == kinds.split()


def test_what_does_not_fit_is_said_and_never_decided() -> None:
    assert misfit(Schulze(), Single(), priced("ab")) == (
        "The rule 'schulze' cannot decide a question of method 'single'."
    )
    without = {"a": 1, "b": None}
    assert misfit(Greedy(budget=9), Single(), priced(without)) == (
        "The rule 'greedy' needs the cost of every option."
    )
    exclusive = Greedy(name="greedy-exclusive", budget=9, exclusions=(("a", "x"),))
    assert misfit(exclusive, Single(), priced({"a": 1})) == (
        "The exclusions name 'x', which is not an option."
    )
    with pytest.raises(ValueError, match="needs the cost"):
        apply(Greedy(budget=9), Single(), priced(without), approved({"a": 1}), 0)


@pytest.mark.parametrize(
    "rule",
    [Plurality(), Threshold(share=HALF, quorum=HALF), Greedy(budget=9), EqualShares(budget=9)],
)
def test_where_nobody_has_chosen_nothing_is_adopted(rule: Rule) -> None:
    outcome = decide(rule, Single(), {"a": 1, "b": 2}, [])
    assert (outcome.adopted, outcome.tied, outcome.reason) == ((), (), "Nobody has chosen.")


def test_only_a_quorum_needs_the_roll() -> None:
    assert needs_roll(Threshold(share=HALF, quorum=HALF))
    assert not needs_roll(Threshold(share=HALF))
    assert not needs_roll(Plurality())


@pytest.mark.parametrize(
    ("name", "threshold", "rule"),
    [
        ("greedy", None, Greedy(budget=9)),
        ("greedy", 3, Greedy(budget=9, threshold=3)),
        ("greedy-threshold", 3, Greedy(name="greedy-threshold", budget=9, threshold=3)),
        ("greedy-threshold", None, None),
        ("greedy-no-skip", 3, Greedy(name="greedy-no-skip", budget=9, threshold=3)),
        ("greedy-exclusive", None, Greedy(name="greedy-exclusive", budget=9)),
        ("equalshares", None, EqualShares(budget=9, step=100)),
        ("equalshares/add1", None, EqualShares(budget=9, step=100, completion="add1")),
        ("equalshares/add1", 3, None),
        ("equalshares-comparison", None, None),
        ("greedy-custom", None, None),
        ("unknown", None, None),
        ("", None, None),
    ],
)
def test_the_names_of_pabulib(name: str, threshold: int | None, rule: Rule | None) -> None:
    assert pabulib_rule(name, budget=9, threshold=threshold, step=100) == rule


def test_the_libraries_are_not_imported_before_they_are_needed() -> None:
    script = (
        "import sys, ledger.domain.counting.rules;"
        "print({'pabutools', 'pref_voting', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
