"""What is defined once and referred to by its id: policy areas, organisations."""

from collections.abc import Mapping
from typing import Any

from services.audit.findings import Findings, Kind
from services.audit.rules.places import Data, Places


class References:
    """Ids by the kind of thing that they name."""

    def __init__(self, findings: Findings, places: Places) -> None:
        self._findings = findings
        self._places = places
        self._ids: dict[str, set[str]] = {"policy": set(), "organisation": set()}

    def policy_defined(self, at: int, data: Data) -> None:
        if "parent" in data:
            self.known(at, "policy", data["parent"])
        self._define(at, "policy", data["policy"])

    def policy_amended(self, at: int, data: Data) -> None:
        self.known(at, "policy", data["policy"])

    def organisation_registered(self, at: int, data: Data) -> None:
        self._places.living(at, data["area"])
        self._define(at, "organisation", data["organisation"])

    def known(self, at: int, kind: str, id_: str) -> None:
        """It must have been defined before."""
        if id_ not in self._ids[kind]:
            self._findings.add(
                Kind.UNKNOWN, at, f"the {kind} {id_!r}", f"a {kind} that is defined before"
            )

    def _define(self, at: int, kind: str, id_: str) -> None:
        if id_ in self._ids[kind]:
            self._findings.add(Kind.AGAIN, at, f"the {kind} {id_!r}", f"a new {kind}")
        self._ids[kind].add(id_)

    def dump(self) -> dict[str, list[str]]:
        return {kind: sorted(ids) for kind, ids in self._ids.items()}

    def load(self, kept: Mapping[str, Any]) -> None:
        for kind, ids in kept.items():
            self._ids[kind] = set(ids)
