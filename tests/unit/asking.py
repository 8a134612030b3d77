"""Questions to put in tests."""

from typing import Any

from ledger.domain.methods import Single
from ledger.domain.questions import CloseQuestion, OpenQuestion, Option, UnsealQuestion

ABC = (Option(id="a", title="A"), Option(id="b", title="B"), Option(id="c", title="C"))


def question(id_: str = "q", **fields: Any) -> OpenQuestion:
    """A question of the town aa/bb with the options a, b and c, unless said otherwise."""
    asked: dict[str, Any] = {
        "question": id_,
        "title": "Which?",
        "area": "aa/bb",
        "method": Single(),
        "options": ABC,
    }
    return OpenQuestion(**{**asked, **fields})


def mandate(id_: str = "m", **fields: Any) -> OpenQuestion:
    """A standing mandate of the town for health, with the programme of the bakers."""
    asked = {
        "policy": "07",
        "mandate": True,
        "options": (Option(id="bakers", title="More bread", organisation="bakers"),),
    }
    return question(id_, **{**asked, **fields})


def sealed(id_: str = "q", **fields: Any) -> OpenQuestion:
    return question(id_, results="after_close", **fields)


CLOSE = CloseQuestion(question="q")
UNSEAL = UnsealQuestion(question="q")
