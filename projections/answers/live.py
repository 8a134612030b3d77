"""Answers that are given again whenever they change."""

from projections.answers.areas import AreaQuestion
from projections.answers.base import Answer


class LiveCounts(Answer):
    """The counts of questions among an area's people: of all that are open at first, then of those that changed."""

    area: str
    questions: list[AreaQuestion]
