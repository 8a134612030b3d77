"""Answers about organisations: what they put forward, hold and answer for."""

from typing import Literal

from ledger.domain.organisations import OrganisationKind
from projections.answers.base import Answer, Listed, Part
from projections.answers.questions import Stage


class OrganisationSummary(Part):
    """`programmes`: options put forward; `decisions`: those it recorded; the others: promises by their fate."""

    organisation: str
    name: str
    kind: OrganisationKind
    area: str
    programmes: int
    decisions: int
    pending: int
    kept: int
    broken: int
    dropped: int


class OrganisationList(Listed[OrganisationSummary]):
    """Organisations."""


class OrganisationView(Answer):
    """An organisation. Of its programmes for standing mandates: how many there are, lead now, hold the mandate."""

    organisation: str
    name: str
    kind: OrganisationKind
    area: str
    area_name: str
    about: str | None
    programmes: int
    decisions: int
    pending: int
    kept: int
    broken: int
    dropped: int
    mandates: int
    leads: int
    holds: int


class OrganisationMandate(Part):
    """A programme of the organisation for a standing mandate.

    `leads`: nobody is backed by more people now (None while it is sealed, as is `backed_by`); `holds`: the last
    decision gave it the mandate.
    """

    question: str
    option: str
    programme: str
    area: str
    area_name: str
    policy: str
    policy_name: str
    stage: Stage
    sealed: bool
    voters: int
    backed_by: int | None
    leads: bool | None
    holds: bool


class OrganisationMandates(Listed[OrganisationMandate]):
    """The standing mandates for which an organisation has a programme."""

    organisation: str


class Duty(Part):
    """Something that an organisation answers for.

    It `recorded` a decision, its option was `adopted` by one, or it `reported` an outcome.
    """

    position: int
    time: str
    kind: Literal["recorded", "adopted", "reported"]
    question: str
    title: str
    area: str
    policy: str | None


class Duties(Listed[Duty]):
    """What an organisation answers for, the latest first unless asked otherwise."""

    organisation: str
