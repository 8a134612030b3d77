"""The read models that there are. A new one adds one line."""

from projections.area import AreaProjection
from projections.citizen import CitizenProjection
from projections.organisation import OrganisationProjection
from projections.policy import PolicyProjection
from projections.projection import Projection
from projections.question import QuestionProjection


def all_projections() -> tuple[Projection, ...]:
    return (
        CitizenProjection(),
        QuestionProjection(),
        AreaProjection(),
        PolicyProjection(),
        OrganisationProjection(),
    )
