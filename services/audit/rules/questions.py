"""Questions: what was asked, and whether it could be."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from services.audit.counting import AreaCount
from services.audit.decisions import contradiction
from services.audit.findings import Findings, Kind
from services.audit.held import Kept, Past, Recalled
from services.audit.rules.asked import FOREVER, NEVER, Cell, Question, kept
from services.audit.rules.places import Data, Places
from services.audit.rules.references import References


class Questions:
    """All questions by id."""

    def __init__(
        self, findings: Findings, past: Past, places: Places, references: References
    ) -> None:
        self._findings = findings
        self._past = past
        self._places = places
        self._references = references
        self.by_id: dict[str, Question] = {}
        self._mandates: dict[tuple[str, str], str] = {}
        """The open standing mandate of an area for a policy area."""

    def opened(self, at: int, time: str, data: dict[str, Any]) -> None:
        name = data["question"]
        if name in self.by_id:
            self._find(Kind.AGAIN, at, f"the question {name!r}", "a new question")
            return
        self._places.living(at, data["area"])
        electorate = self._places.living(at, data["electorate"])
        if electorate is None:
            return
        question = self.by_id[name] = Question(name, electorate, self._past)
        question.put(data)
        if not (data["electorate"] + "/").startswith(data["area"] + "/"):
            found = f"an electorate {data['electorate']!r} outside {data['area']!r}"
            self._find(Kind.QUESTION, at, found, "the area, or one inside it")
        if "policy" in data:
            self._references.known(at, "policy", data["policy"])
        for option in data["options"]:
            if "organisation" in option:
                self._references.known(at, "organisation", option["organisation"])
        if ("seal" in data) != (data["results"] == "after_close"):
            found = f"results {data['results']!r} {'with' if 'seal' in data else 'without'} a seal"
            self._find(Kind.QUESTION, at, found, "a seal where results are for after the close")
        if data["mandate"]:
            self._mandate(at, data)
        self._consistent(at, time, question)

    def amended(self, at: int, time: str, data: dict[str, Any]) -> None:
        question = self.known(at, data["question"])
        if question is None:
            return
        if question.closed:
            self._find(Kind.QUESTION, at, "a closed question is put differently", "an open one")
            return
        if question.chosen:
            found = "a question is put differently after somebody has chosen"
            self._find(
                Kind.QUESTION, at, found, "a change before the first choice, or a new question"
            )
        question.put({**question.asked, **data})
        self._consistent(at, time, question)

    def shut(self, at: int, time: str, data: Data) -> None:
        question = self.known(at, data["question"])
        if question is None:
            return
        if question.closed:
            self._find(Kind.QUESTION, at, "a closed question is closed", "an open question")
        elif question.until != FOREVER and time < question.until:
            self._find(Kind.QUESTION, at, f"closed on {time}", f"not before {question.until}")
        question.until = NEVER
        self._mandates = {key: one for key, one in self._mandates.items() if one != question.name}

    def unsealed(self, at: int, data: Data) -> None:
        question = self.known(at, data["question"])
        if question is None:
            return
        if not question.closed or not question.sealed:
            found = "a question is unsealed that is open, or not sealed"
            self._find(Kind.SEAL, at, found, "a sealed question that is closed")
        if "seal" not in question.asked:
            return
        seal = sha256(bytes.fromhex(data["key"])).hexdigest()
        if seal != question.asked["seal"]:
            expected = f"{question.asked['seal']}, as the question said when it was opened"
            self._find(Kind.SEAL, at, f"a key whose SHA-256 is {seal}", expected)
            return
        question.key = data["key"]
        question.full = isinstance(question.standing, Recalled)

    def known(self, at: int, name: str) -> Question | None:
        found = self.by_id.get(name)
        if found is None:
            self._find(Kind.UNKNOWN, at, f"the question {name!r}", "a question that was opened")
        return found

    def _mandate(self, at: int, data: Data) -> None:
        expected = "one policy area, no end, a programme's organisation for each option"
        organisations = all("organisation" in option for option in data["options"])
        if "policy" not in data or "closes" in data or not organisations:
            self._find(Kind.QUESTION, at, "a standing mandate of another form", expected)
            return
        place = (data["area"], data["policy"])
        other = self._mandates.setdefault(place, data["question"])
        if other != data["question"]:
            found = "a second standing mandate for one policy area"
            self._find(Kind.QUESTION, at, found, f"one; {other!r} is open")

    def _consistent(self, at: int, time: str, question: Question) -> None:
        asked = question.asked
        ids = [option["id"] for option in asked["options"]]
        if len(set(ids)) < len(ids):
            self._find(Kind.QUESTION, at, "two options with one id", "an id for each option")
        closes = asked.get("closes", FOREVER)
        if closes <= asked["opens"] or closes <= time:
            self._find(Kind.QUESTION, at, f"an end on {closes}", "one that lies ahead")
        if wrong := contradiction(question.asked):
            self._find(Kind.QUESTION, at, wrong, "a method and a rule that fit the options")
            # What cannot be understood is neither counted nor decided.
            kept = {name: one for name, one in question.asked.items() if name != "rule"}
            question.asked = {**kept, "method": {}}

    def _find(self, kind: Kind, at: int, found: str, expected: str) -> None:
        self._findings.add(kind, at, found, expected)

    # From one audit to the next

    def dump(self, counts: Mapping[str, Mapping[str, AreaCount]]) -> list[dict[str, Any]]:
        return [
            {
                "asked": one.asked,
                "closed": one.closed,
                "key": one.key,
                "chosen": one.chosen,
                "decided": one.decided,
                "cells": [
                    (cell.area.id, cell.voters, cell.lapsed, cell.departures)
                    for cell in one.cells.values()
                ],
                "count": {area: count.dump() for area, count in counts[name].items()},
            }
            for name, one in self.by_id.items()
        ]

    def load(self, questions: list[dict[str, Any]]) -> None:
        for one in questions:
            asked = one["asked"]
            name, areas = asked["question"], self._places.by_id
            question = self.by_id[name] = Question(name, areas[asked["electorate"]], self._past)
            question.put(asked)
            question.key, question.chosen, question.decided = (
                one["key"],
                one["chosen"],
                one["decided"],
            )
            for id_, voters, lapsed, departures in one["cells"]:
                cell = question.cells[areas[id_]] = Cell(areas[id_])
                cell.voters, cell.lapsed, cell.departures = voters, lapsed, departures
            question.base = {area: AreaCount.load(count) for area, count in one["count"].items()}
            if one["closed"]:
                question.until = NEVER
            elif asked["mandate"] and "policy" in asked:
                self._mandates[asked["area"], asked["policy"]] = name

    def standing(self) -> Iterator[Kept]:
        """What each voter's choice is now: all, or all that this audit asked about."""
        for one in self.by_id.values():
            yield one.standing.kept(kept)
