"""Every way in which the domain can refuse stands in a table of some test of this folder."""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import domain
from ledger.domain.refusals import Reason, Refused
from tests.unit import (
    test_areas,
    test_choices,
    test_outcomes,
    test_questions,
    test_requests,
    test_roll,
    test_services,
    test_transparency_events,
)

EXERCISED = [
    refusal
    for module in (
        test_areas,
        test_choices,
        test_outcomes,
        test_questions,
        test_requests,
        test_roll,
        test_services,
        test_transparency_events,
    )
    for refusal in module.REFUSALS
]
OUTSIDE_THE_DOMAIN = {Reason.ENTRY_TOO_LARGE}
"""Given by the codec (`test_codec.py`)."""


def refusals_in_the_source() -> Iterator[tuple[str, Reason, str | None]]:
    """Where the domain refuses, the reason, and the field if it stands there as a constant."""
    for path in Path(domain.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused":
                reason, *others = node.args
                field = (
                    others[1].value
                    if len(others) > 1 and isinstance(others[1], ast.Constant)
                    else None
                )
                yield f"{path.name}:{node.lineno}", Reason[ast.unparse(reason).split(".")[1]], field


@pytest.mark.parametrize("where", [*refusals_in_the_source()], ids=lambda where: where[0])
def test_every_refusal_in_the_source_is_exercised(where: tuple[str, Reason, str | None]) -> None:
    _, reason, field = where
    assert any(one.reason is reason and field in (one.field, None) for one in EXERCISED)


def test_every_reason_is_exercised() -> None:
    assert {one.reason for one in EXERCISED} == set(Reason) - OUTSIDE_THE_DOMAIN


def test_reasons_are_the_last_part_of_an_address() -> None:
    for reason in Reason:
        assert reason.value == reason.name.lower().replace("_", "-")


def test_a_refusal_travels_between_processes() -> None:
    refusal = Refused(Reason.NOT_YOURS, "This is another person's.", "request")
    copy = pickle.loads(pickle.dumps(refusal))
    assert (copy.reason, copy.detail, copy.field) == (refusal.reason, refusal.detail, "request")
    assert str(copy) == "This is another person's."
