"""Methods: what is a legal answer, and what is said of one that is not."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ledger.domain.methods import (
    Agreement,
    Approval,
    Method,
    Points,
    Ranking,
    Score,
    Single,
    illegality,
    misfit,
)

METHOD: TypeAdapter[Method] = TypeAdapter(Method)
COSTS: dict[str, int | None] = {"a": 30, "b": 50, "c": None, "d": 20}


@pytest.mark.parametrize(
    ("method", "marks"),
    [
        (Single(), {"b": 1}),
        (Approval(), {"a": 1, "c": 1}),
        (Approval(minimum=2, maximum=2), {"a": 1, "c": 1}),
        (Approval(max_cost=80), {"a": 1, "b": 1, "c": 1}),
        (Ranking(), {"c": 1, "a": 2, "b": 3}),
        (Ranking(minimum=2), {"c": 2, "a": 1}),
        (Score(max_mark=10), {"a": 10, "b": 0}),
        (Points(total=5), {"a": 3, "b": 2}),
        (Points(total=5, min_total=5), {"a": 5}),
        (Agreement(), {"a": -1, "b": 0, "c": 1}),
    ],
)
def test_legal_marks(method: Method, marks: Mapping[str, int]) -> None:
    assert illegality(method, marks, COSTS) is None


@pytest.mark.parametrize(
    ("method", "marks", "sentence"),
    [
        (Single(), {}, "Mark at least one option."),
        (Single(), {"a": 1, "b": 1}, "Mark one option only; 2 are marked."),
        (Single(), {"a": 2}, "The mark of 'a' must be 1."),
        (Single(), {"x": 1}, "There is no option 'x'."),
        (Single(), {"a": True}, "The mark of 'a' is not a whole number."),
        (Single(), {"a": 1.0}, "The mark of 'a' is not a whole number."),
        (Approval(), {"a": 1, "b": 0}, "The mark of 'b' must be 1."),
        (Approval(maximum=1), {"a": 1, "b": 1}, "Mark at most 1 options; 2 are marked."),
        (Approval(minimum=2), {"a": 1}, "Mark at least 2 options; 1 are marked."),
        (
            Approval(max_cost=79),
            {"a": 1, "b": 1},
            "The marked options cost 80 together; at most 79 is allowed.",
        ),
        (Ranking(), {"a": 1, "b": 3}, "The ranks must be the numbers from 1 to 2, each once."),
        (Ranking(), {"a": 1, "b": 1}, "The ranks must be the numbers from 1 to 2, each once."),
        (Ranking(), {"a": 0}, "The ranks must be the numbers from 1 to 1, each once."),
        (Ranking(maximum=1), {"a": 1, "b": 2}, "Mark at most 1 options; 2 are marked."),
        (Score(max_mark=10), {"a": 11}, "The mark of 'a' must be from 0 to 10."),
        (Score(max_mark=10), {"a": -1}, "The mark of 'a' must be from 0 to 10."),
        (Points(total=5), {"a": 3, "b": 3}, "Give at most 5 points; 6 are given."),
        (Points(total=5, min_total=4), {"a": 3}, "Give at least 4 points; 3 are given."),
        (Points(total=5), {"a": 0}, "The mark of 'a' must be from 1 to 5."),
        (Points(total=5, maximum=1), {"a": 1, "b": 1}, "Mark at most 1 options; 2 are marked."),
        (Agreement(), {"a": 2}, "The mark of 'a' must be from -1 to 1."),
    ],
)
def test_illegal_marks(method: Method, marks: Mapping[str, int], sentence: str) -> None:
    assert illegality(method, marks, COSTS) == sentence


@pytest.mark.parametrize(
    "method", [Single(), Approval(), Ranking(), Score(max_mark=9), Points(total=9), Agreement()]
)
def test_a_number_with_thousands_of_digits_is_only_illegal(method: Method) -> None:
    assert illegality(method, {"a": 10**5_000}, COSTS)


def test_a_long_unknown_option_is_shortened() -> None:
    sentence = illegality(Single(), {"x" * 10_000: 1}, COSTS)
    assert sentence is not None
    assert len(sentence) < 100


@given(
    st.dictionaries(st.sampled_from("abcdx"), st.integers(-2, 6) | st.booleans()),
    st.sampled_from(
        [
            Single(),
            Approval(minimum=2, maximum=3, max_cost=70),
            Ranking(maximum=3),
            Score(max_mark=4),
            Points(total=5, min_total=2, maximum=2),
            Agreement(),
        ]
    ),
)
def test_legal_is_what_the_words_of_the_method_say(marks: dict[str, int], method: Method) -> None:
    given_marks = list(marks.values())
    real = set(marks) <= set(COSTS) and not any(isinstance(mark, bool) for mark in given_marks)
    match method:
        case Single():
            legal = given_marks == [1]
        case Approval():
            cost = sum(COSTS.get(option) or 0 for option in marks)
            legal = set(given_marks) == {1} and 2 <= len(marks) <= 3 and cost <= 70
        case Ranking():
            legal = set(given_marks) == set(range(1, len(marks) + 1)) and 1 <= len(marks) <= 3
        case Score():
            legal = bool(marks) and all(0 <= mark <= 4 for mark in given_marks)
        case Points():
            enough = 2 <= sum(given_marks) <= 5
            legal = enough and all(mark >= 1 for mark in given_marks) and len(marks) <= 2
        case Agreement():
            legal = bool(marks) and set(given_marks) <= {-1, 0, 1}
    assert (illegality(method, marks, COSTS) is None) == (real and legal)


@pytest.mark.parametrize(
    "method",
    [
        {"kind": "single", "maximum": 2},
        {"kind": "approval", "maximum": 0},
        {"kind": "approval", "minimum": 3, "maximum": 2},
        {"kind": "approval", "max_cost": -1},
        {"kind": "approval", "maximum": True},
        {"kind": "approval", "maximum": "3"},
        {"kind": "approval", "maximum": 3.0},
        {"kind": "score"},
        {"kind": "score", "max_mark": 0},
        {"kind": "score", "max_mark": 10**9},
        {"kind": "points", "total": 5, "min_total": 6},
        {"kind": "points", "total": 2, "minimum": 3},
        {"kind": "quadratic"},
    ],
)
def test_a_method_that_makes_no_sense_is_refused(method: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        METHOD.validate_python(method)


def test_a_method_survives_its_json() -> None:
    method = Points(total=10, min_total=1, maximum=3)
    assert METHOD.validate_json(METHOD.dump_json(method)) == method


def test_a_method_that_nobody_could_follow_among_these_options() -> None:
    assert misfit(Approval(minimum=5), COSTS) == (
        "At least 5 options must be marked, but there are only 4."
    )
    assert misfit(Approval(max_cost=5), COSTS) == (
        "A maximum total cost needs the cost of every option."
    )
    assert misfit(Ranking(minimum=4), COSTS) is None
    assert misfit(Approval(max_cost=5), {"a": 1}) is None
