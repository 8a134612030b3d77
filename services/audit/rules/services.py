"""Services, offers, arrangements and requests."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.audit.findings import Findings, Kind
from services.audit.held import Held, Kept, Past
from services.audit.rules.places import Data, Places
from services.audit.rules.references import References

_OPEN = frozenset(("made", "acknowledged", "assigned", "disputed"))

STEPS: dict[str, tuple[str | None, frozenset[str]]] = {
    "acknowledged": ("acknowledged", frozenset(("made",))),
    "assigned": ("assigned", _OPEN),
    "updated": (None, _OPEN),
    "delivered": ("delivered", _OPEN),
    "declined": ("declined", _OPEN),
    "confirmed": ("confirmed", frozenset(("delivered",))),
    "disputed": ("disputed", frozenset(("delivered", "declined"))),
    "rated": ("rated", frozenset(("confirmed",))),
}
"""What happened → (the stage that it leads to, the stages from which it may)."""


class Services:
    """What is offered where, who has chosen what, and how far each request is."""

    def __init__(
        self, findings: Findings, past: Past, places: Places, references: References
    ) -> None:
        self._findings = findings
        self._past = past
        self._places = places
        self._references = references
        self._areas: dict[str, str] = {}
        """Service → its area."""
        self._offers: dict[str, list[Any]] = {}
        """Offer → service, organisation, whether it is withdrawn."""
        self._holders: dict[str, Held[str]] = {}
        """Service → holder → offer."""
        self._requests: Held[list[str]] = past.held("request", orjson.loads)
        """Request → stage, area, service."""
        self.counts: dict[tuple[str, str, str], int] = {}
        """(area, service, stage) → requests."""

    def defined(self, at: int, data: Data) -> None:
        if data["service"] in self._areas:
            self._find(Kind.AGAIN, at, f"the service {data['service']!r}", "a new service")
            return
        self._places.living(at, data["area"])
        if "policy" in data:
            self._references.known(at, "policy", data["policy"])
        self._service(data["service"], data["area"])

    def published(self, at: int, data: Data) -> None:
        if data["offer"] in self._offers:
            self._find(Kind.AGAIN, at, f"the offer {data['offer']!r}", "a new offer")
            return
        if data["service"] not in self._areas:
            self._find(Kind.UNKNOWN, at, f"the service {data['service']!r}", "one that is defined")
        self._references.known(at, "organisation", data["organisation"])
        self._offers[data["offer"]] = [data["service"], data["organisation"], False]

    def amended(self, at: int, data: Data) -> None:
        self._open_offer(at, data)

    def withdrawn(self, at: int, data: Data) -> None:
        offer = self._open_offer(at, data)
        if offer is not None:
            offer[2] = True

    def chosen(self, at: int, data: Data) -> None:
        if self._open_offer(at, data) is None or data["service"] not in self._holders:
            return
        holders, holder = self._holders[data["service"]], bytes.fromhex(data["holder"])
        if holders.get(holder) != data.get("previous"):
            found = f"an arrangement in place of {data.get('previous', 'none')!r}"
            self._find(Kind.PREVIOUS, at, found, "in place of the one that stood")
        holders[holder] = data["offer"]

    def ended(self, at: int, data: Data) -> None:
        holders = self._holders.get(data["service"])
        holder = bytes.fromhex(data["holder"])
        if holders is None or holders.get(holder) != data["offer"]:
            self._find(Kind.PREVIOUS, at, "the end of an arrangement", "one that stood")
            return
        holders[holder] = None

    def requested(self, at: int, data: Data) -> None:
        name = data["request"].encode()
        if self._requests.get(name) is not None:
            self._find(Kind.AGAIN, at, f"the request {data['request']!r}", "a new request")
            return
        offer = self._open_offer(at, data)
        if offer is not None and offer[1] != data["organisation"]:
            found = f"a request to {data['organisation']!r}"
            self._find(Kind.SERVICE, at, found, f"to {offer[1]!r}, whose offer it is")
        self._area_of_request(at, data)
        self._requests[name] = ["made", data["area"], data["service"]]
        self._count(data["area"], data["service"], "made", 1)

    def stepped(self, at: int, what: str, data: Data) -> None:
        name = data["request"].encode()
        request = self._requests.get(name)
        if request is None:
            found = f"the request {data['request']!r}"
            self._find(Kind.UNKNOWN, at, found, "a request that was made before")
            return
        stage, area, service = request
        following, allowed = STEPS[what]
        if stage not in allowed:
            found = f"a request that is {stage} is {what}"
            self._find(Kind.STAGE, at, found, f"one that is {' or '.join(sorted(allowed))}")
        if following is not None:
            self._requests[name] = [following, area, service]
            self._count(area, service, stage, -1)
            self._count(area, service, following, 1)

    def _open_offer(self, at: int, data: Data) -> list[Any] | None:
        offer = self._offers.get(data["offer"])
        if offer is None or offer[0] != data["service"]:
            found = f"the offer {data['offer']!r} of {data['service']!r}"
            self._find(Kind.UNKNOWN, at, found, "an offer that was published for this service")
            return None
        if offer[2]:
            found = f"the offer {data['offer']!r}, which was withdrawn"
            self._find(Kind.SERVICE, at, found, "an offer that stands")
        return offer

    def _area_of_request(self, at: int, data: Data) -> None:
        within = self._areas.get(data["service"])
        area = self._places.by_id.get(data["area"])
        if within is None:
            return
        if area is None or within not in [one.id for one in area.chain]:
            found = f"a request from {data['area']!r}"
            self._find(Kind.SERVICE, at, found, f"from {within!r} or an area in it")
        elif area.id != within and not area.publishable:
            found = f"the area {area.id!r}, which is not publishable"
            self._find(Kind.CHOICE_AREA, at, found, "the smallest area with enough people")

    def _service(self, name: str, area: str) -> None:
        self._areas[name] = area
        self._holders[name] = self._past.held(f"holder/{name}", bytes.decode)

    def _count(self, area: str, service: str, stage: str, change: int) -> None:
        cell = (area, service, stage)
        self.counts[cell] = self.counts.get(cell, 0) + change

    def _find(self, kind: Kind, at: int, found: str, expected: str) -> None:
        self._findings.add(kind, at, found, expected)

    # From one audit to the next

    def dump(self) -> dict[str, Any]:
        counts = [(*cell, number) for cell, number in self.counts.items()]
        return {"areas": self._areas, "offers": self._offers, "counts": counts}

    def load(self, kept: Mapping[str, Any]) -> None:
        for name, area in kept["areas"].items():
            self._service(name, area)
        self._offers = kept["offers"]
        self.counts = {(area, service, stage): n for area, service, stage, n in kept["counts"]}

    def standing(self) -> Iterator[Kept]:
        for one in self._holders.values():
            yield one.kept(str.encode)
        yield self._requests.kept(orjson.dumps)
