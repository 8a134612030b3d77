"""Answers about policy areas, across the levels of democracy."""

from projections.answers.base import Answer, Figures, Listed, Part


class PolicySummary(Part):
    policy: str
    name: str
    parent: str | None
    figures: Figures


class PolicyList(Listed[PolicySummary]):
    """Policy areas."""


class PolicyView(Answer):
    """A policy area with its place in the taxonomy; `figures` add up all areas, `areas` is how many there are."""

    policy: str
    name: str
    above: list[PolicySummary]
    below: list[PolicySummary]
    areas: int
    figures: Figures


class PolicyArea(Part):
    """How far one area has come in a policy area: what it asked itself, without what areas below it asked."""

    area: str
    name: str
    level: int
    roll: int
    figures: Figures


class PolicyAreas(Listed[PolicyArea]):
    """A policy area in each area that has asked about it."""

    policy: str
