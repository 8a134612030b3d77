"""Every event in its turn: each goes to the rules of its family."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.audit.bundles import Examined
from services.audit.counting import AreaCount
from services.audit.findings import Findings, Kind
from services.audit.form import (
    CHANGED,
    LAPSED,
    MADE,
    OTHER,
    REGISTERED,
    UNCHECKED,
    WITHDRAWN,
    Row,
)
from services.audit.held import Kept, Past
from services.audit.parallel import Workers
from services.audit.rules.choices import Choices
from services.audit.rules.itself import Itself
from services.audit.rules.outcomes import Outcomes
from services.audit.rules.places import Data, Places
from services.audit.rules.questions import Questions
from services.audit.rules.references import References
from services.audit.rules.services import STEPS, Services

BACKWARDS: Final = timedelta(seconds=60)
"""The time of an event is taken when it is decided, and it is recorded a moment later, perhaps by another computer.
More than this is a clock that was turned back, or an event that was slipped in (docs/decisions/0012)."""

_NAMES = {
    MADE: "choice.made",
    CHANGED: "choice.changed",
    WITHDRAWN: "choice.withdrawn",
    LAPSED: "choice.lapsed",
    REGISTERED: "citizen.registered",
}


class Rulebook:
    """What the log has come to, and whether every event was allowed to happen."""

    def __init__(self, findings: Findings, past: Past, workers: Workers) -> None:
        self.findings = findings
        self.past = past
        self.places = Places(findings, past)
        self.references = References(findings, self.places)
        self.questions = Questions(findings, past, self.places, self.references)
        self.choices = Choices(findings, self.places, self.questions)
        self.outcomes = Outcomes(findings, past, self.questions, self.references, workers)
        self.services = Services(findings, past, self.places, self.references)
        self.itself = Itself(findings)
        self.position = 0
        """The last event that the rules have seen."""
        self.source: str | None = None
        self.latest = ""
        """The latest time so far."""
        self.events: Counter[str] = Counter()
        """How many there were of each type."""
        self.unchecked: Counter[str] = Counter()
        """Of types that this auditor does not know."""
        self.ids: set[str] = set()
        self._rules = self._families()

    def envelopes(self, first: int, examined: Examined, skipped: int) -> None:
        """What concerns all events of a bundle, whatever they are about. The first of them are known already."""
        ids = examined.ids[skipped:]
        if not self.ids.isdisjoint(ids) or len(set(ids)) < len(ids) or self.past.knows(ids):
            self._ids_one_by_one(first + skipped, ids)
        self.ids.update(ids)
        self.ids.discard("")  # of those that are not well formed
        for source in examined.sources:
            if self.source is None:
                self.source = source
            elif source != self.source:
                last = first + len(examined.rows) - 1
                found = f"the source {source!r}"
                self.findings.add(Kind.SOURCE, first + skipped, found, self.source, last=last)
        earliest, latest, in_order = examined.times
        if skipped or not in_order or earliest < self.latest:
            self._times_one_by_one(first + skipped, examined.rows[skipped:])
        else:
            self.latest = max(self.latest, latest)

    def apply(self, first: int, rows: Sequence[Row | None]) -> None:
        """The events from `first` on, one after the other."""
        kinds = [0] * (UNCHECKED + 1)
        choice, registered, rules = self.choices.apply, self.places.registers, self._rules
        for at, row in enumerate(rows, first):
            if row is None:
                continue
            kind = row[0]
            kinds[kind] += 1
            if kind <= LAPSED:
                choice(at, row)
            elif kind == REGISTERED:
                registered(at, row[3], row[2])
            elif kind == OTHER:
                _, time, type_, data = row
                self.events[_name(type_)] += 1
                rules[type_](at, time, data)
            else:
                self.unchecked[row[2]] += 1
        for kind, name in _NAMES.items():
            self.events[name] += kinds[kind]
        self.position = first + len(rows) - 1

    def _ids_one_by_one(self, first: int, ids: Sequence[str]) -> None:
        seen = set[str]()
        for at, id_ in enumerate(ids, first):
            if id_ and (id_ in seen or id_ in self.ids or self.past.knows((id_,))):
                self.findings.add(Kind.ID, at, f"the id {id_!r} again", "an id of its own")
            seen.add(id_)

    def _times_one_by_one(self, first: int, rows: Sequence[Row | None]) -> None:
        for at, row in enumerate(rows, first):
            if row is None:
                continue
            if row[1] < self.latest and _moment(row[1]) < _moment(self.latest) - BACKWARDS:
                expected = f"{self.latest}, as before it, or later"
                self.findings.add(Kind.TIME, at, f"the time {row[1]}", expected)
            self.latest = max(self.latest, row[1])

    def _families(self) -> dict[str, Callable[[int, str, dict[str, Any]], None]]:
        places, references, questions = self.places, self.references, self.questions
        outcomes, services = self.outcomes, self.services

        def timeless(rule: Callable[[int, Data], None]) -> Callable[[int, str, Data], None]:
            return lambda at, _, data: rule(at, data)

        def step(what: str) -> Callable[[int, str, Data], None]:
            return lambda at, _, data: services.stepped(at, what, data)

        rules: dict[str, Callable[[int, str, dict[str, Any]], None]] = {
            "area.defined": timeless(places.defined),
            "area.amended": timeless(places.amended),
            "area.retired": timeless(places.retired),
            "policy.defined": timeless(references.policy_defined),
            "policy.amended": timeless(references.policy_amended),
            "citizen.moved": timeless(places.moved),
            "citizen.joined": timeless(places.joined),
            "citizen.left": timeless(places.left),
            "organisation.registered": timeless(references.organisation_registered),
            "question.opened": questions.opened,
            "question.amended": questions.amended,
            "question.closed": questions.shut,
            "question.unsealed": timeless(questions.unsealed),
            "decision.recorded": timeless(outcomes.recorded),
            "outcome.reported": timeless(outcomes.reported),
            "key.rotated": timeless(self.itself.rotated),
            "digest.attested": timeless(self.itself.attests),
            "service.defined": timeless(services.defined),
            "offer.published": timeless(services.published),
            "offer.amended": timeless(services.amended),
            "offer.withdrawn": timeless(services.withdrawn),
            "arrangement.chosen": timeless(services.chosen),
            "arrangement.ended": timeless(services.ended),
            "request.made": timeless(services.requested),
            **{f"request.{what}": step(what) for what in STEPS},
        }
        return {f"civic.{name}.v1": rule for name, rule in rules.items()}

    # From one audit to the next

    def dump(self, counts: Mapping[str, Mapping[str, AreaCount]]) -> dict[str, Any]:
        """All but what is kept by key (`standing`)."""
        return {
            "position": self.position,
            "source": self.source,
            "latest": self.latest,
            "events": self.events,
            "unchecked": self.unchecked,
            "decisions": self.outcomes.decisions,
            "places": self.places.dump(),
            "references": self.references.dump(),
            "questions": self.questions.dump(counts),
            "services": self.services.dump(),
            "itself": self.itself.dump(),
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        self.position, self.source, self.latest = kept["position"], kept["source"], kept["latest"]
        self.events.update(kept["events"])
        self.unchecked.update(kept["unchecked"])
        self.outcomes.decisions = kept["decisions"]
        self.places.load(kept["places"])
        self.references.load(kept["references"])
        self.questions.load(kept["questions"])
        self.services.load(kept["services"])
        self.itself.load(kept["itself"])

    def standing(self) -> Iterator[Kept]:
        """What stands by key, in its spaces: all, or all that this audit asked about."""
        yield from self.places.standing()
        yield from self.questions.standing()
        yield from self.services.standing()


def _name(type_: str) -> str:
    return type_.removeprefix("civic.").rpartition(".")[0]


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time)
