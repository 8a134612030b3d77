"""What a question may say: contradictions are refused before anything is decided."""

from typing import Any

import pytest
from pydantic import ValidationError

from ledger.domain.counting.rules import Greedy, InstantRunoff
from ledger.domain.methods import Approval
from tests.unit.asking import ABC, mandate, question
from tests.unit.domain import LATER, NOW


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"options": (*ABC, ABC[1])}, "options with the same id: b"),
        ({"options": ()}, "at least 1 item"),
        ({"method": Approval(minimum=4)}, "there are only 3"),
        ({"method": Approval(max_cost=5)}, "needs the cost of every option"),
        ({"rule": InstantRunoff()}, "cannot decide a question of method 'single'"),
        ({"rule": Greedy(budget=5)}, "needs the cost of every option"),
        ({"opens": NOW, "closes": NOW}, "it closes before it opens"),
        ({"opens": "2026-01-01T12:00:00"}, "give the time zone"),
        ({"electorate": "aa"}, "is not 'aa/bb' or an area inside it"),
        ({"electorate": "aa/bbb"}, "is not 'aa/bb' or an area inside it"),
        ({"mandate": True}, "a standing mandate is for one policy area and has no end"),
        ({"title": "  "}, "at least 1 character"),
        ({"title": "a\x00b"}, "pattern"),
        ({"area": "AA"}, "pattern"),
        ({"question": "a b?"}, "pattern"),
        ({"question": "a//b"}, "pattern"),
        ({"weight": 2}, "Extra inputs are not permitted"),
        ({"results": "never"}, "'live' or 'after_close'"),
    ],
)
def test_a_contradictory_question_cannot_even_be_said(
    fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        question(**fields)


@pytest.mark.parametrize(
    "fields",
    [{"policy": None}, {"closes": LATER}, {"options": ABC}],
    ids=["no policy area", "an end", "an option of nobody"],
)
def test_what_is_no_standing_mandate(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="standing mandate"):
        mandate(**fields)
