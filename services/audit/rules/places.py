"""Areas, and who is on their rolls."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.audit.findings import Findings, Kind
from services.audit.held import Kept, Past

Data = Mapping[str, Any]


class Area:
    """One area. `chain`: itself and the areas above it. `departures`: how often somebody left its roll."""

    __slots__ = ("chain", "departures", "id", "kind", "publishable", "retired", "roll")

    def __init__(self, id_: str, kind: str, above: "Area | None") -> None:
        self.id = id_
        self.kind = kind
        self.publishable = False
        self.retired = False
        self.roll = 0
        self.departures = 0
        self.chain: tuple[Area, ...] = (self,) if above is None else (self, *above.chain)


class Places:
    """All areas by id, and where each person of the roll lives and belongs."""

    def __init__(self, findings: Findings, past: Past) -> None:
        self._findings = findings
        self.by_id: dict[str, Area] = {}
        self.nowhere = Area("", "territory", None)
        self.nowhere.chain = ()
        self.people = past.held("person", self._area_of)
        """Homes: `nowhere` for a person who has left theirs. `None` where nobody is registered."""
        self.members = past.held("members", lambda kept: frozenset(orjson.loads(kept)))
        """The communities of those who belong to any."""
        self.registered = 0
        self.smallest_published: int | None = None
        """The smallest roll that an area had when choices came to name it."""

    def _area_of(self, kept: bytes) -> Area:
        return self.by_id.get(kept.decode(), self.nowhere)

    # Areas

    def defined(self, at: int, data: Data) -> None:
        id_, kind = data["area"], data["kind"]
        above_id = id_.rpartition("/")[0]
        above = self.by_id.get(above_id)
        if id_ in self.by_id:
            self._find(Kind.AGAIN, at, f"the area {id_!r}", "an area that is not defined yet")
            return
        if above_id and above is None:
            self._find(Kind.UNKNOWN, at, f"{id_!r} without an area above", f"{above_id!r} first")
        elif above is not None and above.retired:
            self._find(Kind.AREA, at, f"an area below {above_id!r}, which is retired", "one in use")
        elif above is not None and kind == "territory" != above.kind:
            self._find(Kind.AREA, at, f"the territory {id_!r} in a community", "in a territory")
        self.by_id[id_] = Area(id_, kind, above)

    def amended(self, at: int, data: Data) -> None:
        area = self.living(at, data["area"])
        if area is None:
            return
        if "name" not in data and "publishable" not in data:
            self._find(Kind.AREA, at, "a change of nothing", "a name, or that it is publishable")
        if "publishable" in data:
            if area.publishable or not data["publishable"]:
                self._find(Kind.AREA, at, f"{area.id!r} made publishable again or no more", "once")
            area.publishable = data["publishable"]
            smallest = self.smallest_published
            self.smallest_published = area.roll if smallest is None else min(smallest, area.roll)

    def retired(self, at: int, data: Data) -> None:
        if area := self.living(at, data["area"]):
            area.retired = True

    def living(self, at: int, id_: str) -> Area | None:
        """The area, which must be defined and in use."""
        area = self.by_id.get(id_)
        if area is None:
            self._find(Kind.UNKNOWN, at, f"the area {id_!r}", "an area that is defined before")
        elif area.retired:
            self._find(Kind.AREA, at, f"the area {id_!r}, which is retired", "an area in use")
        return area

    # The roll

    def registers(self, at: int, person: bytes, home: str) -> None:
        area = self.by_id.get(home)
        if area is None or area.retired or area.kind != "territory":
            area = self._home(at, home)
            if area is None:
                return
        if self.people.get(person) is not None:
            self._find(Kind.ROLL, at, "a person who is on the roll already", "a new person")
            return
        self.people[person] = area
        self.registered += 1
        for one in area.chain:
            one.roll += 1

    def moved(self, at: int, data: Data) -> None:
        person = bytes.fromhex(data["person"])
        before, home = self._person(at, person), self._home(at, data["home"])
        if before is None or home is None:
            return
        if data.get("origin", "") != before.id:
            found = f"from {data.get('origin', 'nowhere')!r}"
            self._find(Kind.ROLL, at, found, f"from {before.id or 'nowhere'!r}, where they lived")
        elif before is home:
            self._find(Kind.ROLL, at, f"from {home.id!r} to the same", "another home")
        self._lives(person, before, home)

    def joined(self, at: int, data: Data) -> None:
        person = bytes.fromhex(data["person"])
        before, area = self._person(at, person), self.living(at, data["area"])
        if before is None or area is None:
            return
        members = self.members.get(person) or frozenset()
        if area.kind != "community" or area.id in members:
            self._find(Kind.ROLL, at, f"joined {area.id!r}", "a community, and not a member before")
            return
        self.members[person] = members | {area.id}
        area.roll += 1

    def left(self, at: int, data: Data) -> None:
        person = bytes.fromhex(data["person"])
        before, area = self._person(at, person), self.by_id.get(data["area"])
        if before is None or area is None:
            return
        members = self.members.get(person) or frozenset()
        if before is area:
            self._lives(person, before, self.nowhere)
        elif area.id in members:
            self.members[person] = members - {area.id}
            area.roll -= 1
            area.departures += 1
        else:
            self._find(Kind.ROLL, at, f"left {area.id!r}", "their home or a community of theirs")

    def _lives(self, person: bytes, before: Area, now: Area) -> None:
        self.people[person] = now
        for one in before.chain:
            one.roll -= 1
            one.departures += one not in now.chain
        for one in now.chain:
            one.roll += 1

    def _home(self, at: int, id_: str) -> Area | None:
        area = self.living(at, id_)
        if area is not None and area.kind != "territory":
            self._find(Kind.ROLL, at, f"a home in {id_!r}, a community", "a territory")
        return area

    def _person(self, at: int, person: bytes) -> Area | None:
        home: Area | None = self.people.get(person)
        if home is None:
            self._find(Kind.ROLL, at, "a person who is not on the roll", "a registered person")
        return home

    def _find(self, kind: Kind, at: int, found: str, expected: str) -> None:
        self._findings.add(kind, at, found, expected)

    # From one audit to the next

    def dump(self) -> dict[str, Any]:
        fields = [
            (one.id, one.kind, one.publishable, one.retired, one.roll, one.departures)
            for one in self.by_id.values()
        ]
        return {
            "areas": fields,
            "registered": self.registered,
            "smallest_published": self.smallest_published,
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        for id_, kind, publishable, retired, roll, departures in kept["areas"]:
            area = Area(id_, kind, self.by_id.get(id_.rpartition("/")[0]))
            area.publishable, area.retired = publishable, retired
            area.roll, area.departures = roll, departures
            self.by_id[id_] = area
        self.registered = kept["registered"]
        self.smallest_published = kept["smallest_published"]

    def standing(self) -> Iterator[Kept]:
        yield self.people.kept(lambda home: home.id.encode())
        yield self.members.kept(lambda members: orjson.dumps(sorted(members)))
