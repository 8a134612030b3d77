"""What all answers have in common."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """A read answer; `position` is the last event of the log that it takes into account."""

    model_config = ConfigDict(frozen=True)

    position: int


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


P = TypeVar("P", bound=Part)


class Listed(Answer, Generic[P]):
    """One page of a list: `items` are those from `offset` on, of `total`."""

    total: int
    offset: int
    limit: int
    items: list[P]


class Figures(Part):
    """How far what was asked has come. `pending`, `kept`, `broken`, `dropped`: what became of adopted options."""

    questions: int = 0
    open_questions: int = 0
    mandates: int = 0
    decisions: int = 0
    pending: int = 0
    kept: int = 0
    broken: int = 0
    dropped: int = 0
