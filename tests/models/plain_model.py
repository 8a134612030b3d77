"""What the ledger must come to, said as plainly as possible: dictionaries, and no events."""

from collections import Counter
from dataclasses import dataclass, field

HOMES = ("aa", "aa/bb", "aa/bb/cc", "aa/bb/dd")
CLUB = "aa/bb/club"
AREAS = (*HOMES, CLUB)


@dataclass
class Asked:
    electorate: str
    opens: int
    closes: int | None
    closed: bool = False
    chosen: bool = False

    def open(self, now: int) -> bool:
        return not self.closed and self.opens <= now and (self.closes is None or now < self.closes)


@dataclass
class PlainModel:
    """`now` counts hours. Each method says whether it is allowed, and does it."""

    now: int = 0
    home: dict[str, str | None] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    publishable: set[str] = field(default_factory=set)
    asked: dict[str, Asked] = field(default_factory=dict)
    standing: dict[tuple[str, str], tuple[str, dict[str, int]]] = field(default_factory=dict)

    def belongs(self, person: str, area: str) -> bool:
        home = self.home.get(person)
        lives = home is not None and (home + "/").startswith(area + "/")
        return person in self.members if area == CLUB else lives

    def roll(self, area: str) -> int:
        return sum(self.belongs(person, area) for person in self.home)

    def register(self, person: str, home: str) -> bool:
        return person not in self.home and self._at(person, home)

    def move(self, person: str, home: str) -> bool:
        return person in self.home and self.home[person] != home and self._at(person, home)

    def join(self, person: str) -> bool:
        allowed = person in self.home and person not in self.members
        self.members |= {person} if allowed else set()
        return allowed

    def leave(self, person: str, area: str) -> bool:
        if area == CLUB and person in self.members:
            self.members -= {person}
            return self._at(person, self.home[person])
        return self.home.get(person) == area and self._at(person, None)

    def publish(self, area: str, at_least: int) -> bool:
        allowed = area not in self.publishable and self.roll(area) >= at_least
        self.publishable |= {area} if allowed else set()
        return allowed

    def choose(self, person: str, question: str, marks: dict[str, int] | None) -> bool:
        """`marks` None: they are not legal."""
        asked = self.asked.get(question)
        if not (
            asked and asked.open(self.now) and self.belongs(person, asked.electorate) and marks
        ):
            return False
        asked.chosen = True
        inside = [a for a in self.publishable if a.startswith(asked.electorate + "/") and a != CLUB]
        places = [area for area in inside if self.belongs(person, area)]
        self.standing[question, person] = max(places, key=len, default=asked.electorate), marks
        return True

    def withdraw(self, person: str, question: str) -> bool:
        asked = self.asked.get(question)
        allowed = asked is not None and asked.open(self.now)
        return allowed and self.standing.pop((question, person), None) is not None

    def tally(self, question: str, area: str) -> Counter[tuple[str, int]]:
        """How many voters of an area gave an option a mark."""
        return Counter(one for marks in self.ballots(question, area) for one in marks.items())

    def ballots(self, question: str, area: str) -> list[dict[str, int]]:
        return [
            marks
            for (asked, _), (place, marks) in self.standing.items()
            if asked == question and (place + "/").startswith(area + "/")
        ]

    def _at(self, person: str, home: str | None) -> bool:
        self.home[person] = home
        for question, who in list(self.standing):
            asked = self.asked[question]
            if who == person and asked.open(self.now) and not self.belongs(who, asked.electorate):
                del self.standing[question, who]
        return True
