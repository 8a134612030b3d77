"""The names that people know things by. The read models hold ids; the names stand in the log."""

from dataclasses import dataclass
from typing import Any

from ledger.domain.areas import area
from ledger.domain.deciding import Facts, Perspective, types
from ledger.domain.event import Event
from ledger.domain.organisations import OrganisationRegistered
from ledger.domain.policies import PolicyAmended, PolicyDefined
from ledger.domain.services import ServiceDefined


@dataclass(frozen=True, slots=True)
class _Name:
    """What something is called; None where nothing has this id."""

    name: str | None = None

    def evolve(self, event: Any) -> "_Name":
        return _Name(event.title if isinstance(event, ServiceDefined) else event.name)


class Names:
    """The names that the log gives now; an id is its own name where the log gives none."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def area(self, id_: str) -> str:
        return self._facts.about(area(id_)).name or id_

    def policy(self, id_: str) -> str:
        return self._name("policy", id_, PolicyDefined, PolicyAmended)

    def organisation(self, id_: str) -> str:
        return self._name("organisation", id_, OrganisationRegistered)

    def service(self, id_: str) -> str:
        return self._name("service", id_, ServiceDefined)

    def _name(self, kind: str, id_: str, *events: type[Event]) -> str:
        perspective = Perspective(_Name, types(*events), (f"{kind}:{id_}",), shared=True)
        return self._facts.about(perspective).name or id_
