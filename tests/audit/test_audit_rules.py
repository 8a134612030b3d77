"""Every rule: a log that breaks it once, all hashes right and signed with the true key, and what must be found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.audit.findings import Kind
from tests.audit.auditing import (
    KEY,
    Change,
    Event,
    another,
    audited,
    encoded,
    events,
    folder_of,
    found,
    honest,
    of_type,
    place,
)
from tests.unit.samples import VKEYS

LATE = "2027-01-01T00:00:00.000000Z"


def insert(
    kind: Kind,
    type_: str,
    data: dict[str, Any] | None = None,
    *,
    after: dict[str, Any],
    **changes: Any,
) -> Change:
    """One more event like the first one of this type with the data `after`, right behind it."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        at = place(some, type_, **after)
        some.insert(at + 1, {**another(some[at], **(data or {})), **changes})
        return kind, at + 2

    return change


def edit(kind: Kind, type_: str, which: dict[str, Any], /, **data: Any) -> Change:
    """Other data in the first event of this type."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        at = place(some, type_, **which)
        some[at] = {**some[at], "data": {**some[at]["data"], **data}}
        return kind, at + 1

    return change


def add(kind: Kind, behind: str, type_: str, subject: str, data: dict[str, Any]) -> Change:
    """An event of another type behind the first one of type `behind`."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        at = place(some, behind)
        some.insert(at + 1, of_type(type_, subject, some[at], data))
        return kind, at + 2

    return change


def append(kind: Kind, type_: str, subject: str, data: dict[str, Any], time: str = LATE) -> Change:
    """An event at the end of the log."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        some.append({**of_type(type_, subject, some[-1], data), "time": time})
        return kind, len(some)

    return change


def moved(kind: Kind, type_: str, which: dict[str, Any], behind: str, **data: Any) -> Change:
    """The first event of this type, at another place."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        event = some.pop(place(some, type_, **which))
        at = place(some, behind, **data)
        some.insert(at + 1, {**event, "time": some[at]["time"]})
        return kind, at + 2

    return change


def both(first: Change, second: Change) -> Change:
    """One change after the other; what the second one breaks must be found."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        first(some)
        return second(some)

    return change


def removed(kind: Kind, type_: str, which: dict[str, Any], wrong: str, **data: Any) -> Change:
    """An event that another one needs is not there."""

    def change(some: list[Event]) -> tuple[Kind, int]:
        del some[place(some, type_, **which)]
        return kind, place(some, wrong, **data) + 1

    return change


def answer(marks: dict[str, Any], area: str = "pl/a") -> dict[str, Any]:
    return {"area": area, "marks": marks}


def choice(kind: Kind, question: str, chosen: dict[str, Any]) -> Change:
    """A first choice by a new voter, beside that of another one."""
    data = {"voter": "ee" * 16, "answer": chosen}
    return insert(kind, "choice.made", data, after={"question": question})


def opened(**data: Any) -> dict[str, Any]:
    """A question that could be asked."""
    options = [{"id": "x", "title": "X"}, {"id": "y", "title": "Y"}]
    asked = {
        "question": "new",
        "title": "New",
        "area": "pl",
        "electorate": "pl",
        "mandate": False,
        "method": {"kind": "single"},
        "options": options,
        "opens": "2026-03-01T12:00:00.000000Z",
        "results": "live",
    }
    return {**asked, **data}


def asks(kind: Kind, **data: Any) -> Change:
    return add(kind, "question.opened", "question.opened", "question/new", opened(**data))


PERSON = "ee" * 16
MANDATE = [{"id": "t", "title": "T", "organisation": "town"}]
SEAL = "ab" * 32
ROTATION = ("key.rotated", "ledger/checkpoint-key")
DIGEST = ("digest.attested", "ledger/model/area")
ATTESTED = {"model": "area", "version": 1, "digest": SEAL}

UNRULED = {
    "question": "scored",
    "voters": 11,
    "adopted": ["x"],
    "tied": [],
    "reason": "We like it.",
}
"""A decision without a rule that is right."""

BROKEN: dict[str, Change] = {
    # form
    "a field too many": edit(Kind.FORM, "policy.defined", {}, weight=2),
    "a weight in a choice": edit(Kind.FORM, "choice.made", {"question": "budget"}, weight=2),
    "a value of another form": edit(Kind.FORM, "area.defined", {"area": "pl/b"}, kind="planet"),
    "a voter by name": edit(Kind.FORM, "choice.made", {"question": "ranked"}, voter="Anna" * 8),
    "a voter in capitals": edit(Kind.FORM, "choice.made", {"question": "said"}, voter="AB" * 16),
    "marks that are no object": edit(
        Kind.FORM, "choice.made", {"question": "said"}, answer={"area": "pl/a", "marks": ["x"]}
    ),
    "both marks and sealed marks": edit(
        Kind.FORM,
        "choice.made",
        {"question": "said"},
        answer={"area": "pl/a", "marks": {"x": 1}, "sealed": "00"},
    ),
    # areas
    "an area twice": insert(Kind.AGAIN, "area.defined", after={"area": "pl/b"}),
    "an area without the one above": insert(
        Kind.UNKNOWN, "area.defined", {"area": "de/x"}, after={"area": "pl/b"}, subject="area/de/x"
    ),
    "a territory in a community": insert(
        Kind.AREA,
        "area.defined",
        {"area": "pl/a/school/x", "kind": "territory"},
        after={"area": "pl/a/school"},
        subject="area/pl/a/school/x",
    ),
    "a question in a retired area": both(
        add(Kind.AREA, "area.amended", "area.retired", "area/pl/b", {"area": "pl/b"}),
        add(
            Kind.AREA,
            "area.retired",
            "question.opened",
            "question/new",
            opened(area="pl/b", electorate="pl/b"),
        ),
    ),
    "an area below a retired one": both(
        add(Kind.AREA, "policy.defined", "area.retired", "area/pl/b", {"area": "pl/b"}),
        add(
            Kind.AREA,
            "area.retired",
            "area.defined",
            "area/pl/b/c",
            {"area": "pl/b/c", "name": "C", "kind": "territory"},
        ),
    ),
    "an amendment of nothing": add(
        Kind.AREA, "policy.defined", "area.amended", "area/pl", {"area": "pl"}
    ),
    "publishable twice": insert(Kind.AREA, "area.amended", after={"area": "pl/a"}),
    # policies and organisations
    "a policy twice": insert(Kind.AGAIN, "policy.defined", after={}),
    "a policy below none": insert(
        Kind.UNKNOWN,
        "policy.defined",
        {"policy": "08", "parent": "80"},
        after={},
        subject="policy/08",
    ),
    "an organisation twice": insert(Kind.AGAIN, "organisation.registered", after={}),
    # the roll
    "a person twice": insert(Kind.ROLL, "citizen.registered", after={}),
    "a home in no area": insert(
        Kind.UNKNOWN, "citizen.registered", {"person": PERSON, "home": "xx"}, after={}
    ),
    "a home in a community": insert(
        Kind.ROLL, "citizen.registered", {"person": PERSON, "home": "pl/a/school"}, after={}
    ),
    "a move from elsewhere": edit(Kind.ROLL, "citizen.moved", {}, origin="pl/b"),
    "a move to the same home": edit(Kind.ROLL, "citizen.moved", {}, home="pl/a"),
    "a move of nobody": edit(Kind.ROLL, "citizen.moved", {}, person=PERSON),
    "joined twice": insert(Kind.ROLL, "citizen.joined", after={}),
    "joined a territory": edit(Kind.ROLL, "citizen.joined", {}, area="pl/b"),
    "left where they were not": edit(Kind.ROLL, "citizen.left", {}, area="pl/b"),
    # questions
    "a question twice": insert(Kind.AGAIN, "question.opened", after={"question": "said"}),
    "an electorate elsewhere": asks(Kind.QUESTION, area="pl/a", electorate="pl/b"),
    "a policy that is unknown": asks(Kind.UNKNOWN, policy="99"),
    "an option of nobody": asks(
        Kind.UNKNOWN, options=[{"id": "x", "title": "X", "organisation": "who"}]
    ),
    "two options with one id": asks(
        Kind.QUESTION, options=[{"id": "x", "title": "X"}, {"id": "x", "title": "Y"}]
    ),
    "an end before the beginning": asks(Kind.QUESTION, closes="2026-01-01T00:00:00.000000Z"),
    "an unknown method": asks(Kind.QUESTION, method={"kind": "lottery"}),
    "a method that does not fit": asks(Kind.QUESTION, method={"kind": "approval", "max_cost": 5}),
    "a rule that does not fit": asks(Kind.QUESTION, rule={"name": "schulze"}),
    "results for later without a seal": asks(Kind.QUESTION, results="after_close"),
    "a seal for live results": asks(Kind.QUESTION, seal=SEAL),
    "a mandate with an end": asks(
        Kind.QUESTION, mandate=True, policy="07", options=MANDATE, closes=LATE
    ),
    "a second mandate": insert(
        Kind.QUESTION,
        "question.opened",
        {"question": "m2"},
        after={"question": "mandate"},
        subject="question/m2",
    ),
    "an amendment after the first choice": moved(
        Kind.QUESTION, "question.amended", {}, "choice.made", question="budget"
    ),
    "closed before its end": moved(
        Kind.QUESTION,
        "question.closed",
        {"question": "budget"},
        "question.closed",
        question="sealed",
    ),
    "an amendment after the close": add(
        Kind.QUESTION,
        "question.closed",
        "question.amended",
        "question/sealed",
        {"question": "sealed", "title": "Else"},
    ),
    "closed twice": insert(Kind.QUESTION, "question.closed", after={"question": "budget"}),
    "unsealed while open": moved(
        Kind.SEAL, "question.unsealed", {}, "choice.made", question="sealed"
    ),
    "another key than was committed to": edit(Kind.SEAL, "question.unsealed", {}, key=SEAL),
    "a question that was never opened": insert(
        Kind.UNKNOWN,
        "question.closed",
        {"question": "none"},
        after={"question": "budget"},
        subject="question/none",
    ),
    # choices
    "a second standing choice for a voter": insert(
        Kind.SECOND_CHOICE, "choice.made", after={"question": "budget"}
    ),
    "a choice in no question": insert(
        Kind.UNKNOWN,
        "choice.made",
        {"question": "none"},
        after={"question": "said"},
        subject="question/none",
    ),
    "a change of what did not stand": edit(
        Kind.PREVIOUS, "choice.changed", {"question": "budget"}, previous=answer({"z": 1})
    ),
    "a change of what stood elsewhere": edit(
        Kind.PREVIOUS,
        "choice.changed",
        {"question": "budget"},
        previous=answer({"y": 1, "z": 1}, "pl"),
    ),
    "a change by nobody": edit(
        Kind.PREVIOUS, "choice.changed", {"question": "budget"}, voter="ee" * 16
    ),
    "withdrawn twice": insert(Kind.PREVIOUS, "choice.withdrawn", after={"question": "budget"}),
    "lapsed twice": insert(Kind.PREVIOUS, "choice.lapsed", after={}),
    "a choice after the close": moved(
        Kind.NOT_OPEN,
        "choice.made",
        {"question": "budget", "answer": answer({"z": 1}, "pl")},
        "question.closed",
        question="budget",
    ),
    "a choice of what is no option": choice(Kind.MARKS, "budget", answer({"w": 1})),
    "a choice of too many": choice(Kind.MARKS, "budget", answer({"x": 1, "y": 1, "z": 1})),
    "a choice of nothing": choice(Kind.MARKS, "budget", answer({})),
    "an approval that counts twice": choice(Kind.MARKS, "budget", answer({"x": 2})),
    "an approval that is no number": choice(Kind.MARKS, "budget", answer({"x": True})),
    "an approval that is no whole number": choice(Kind.MARKS, "budget", answer({"x": 1.0})),
    "ranks with a gap": choice(Kind.MARKS, "ranked", answer({"x": 1, "y": 3})),
    "a score above the highest": choice(Kind.MARKS, "scored", answer({"x": 6})),
    "more points than there are": choice(Kind.MARKS, "points", answer({"x": 3, "y": 3})),
    "points below zero": choice(Kind.MARKS, "points", answer({"x": 6, "y": -1})),
    "more than agreement": choice(Kind.MARKS, "said", answer({"x": 2})),
    "open marks in a sealed question": choice(Kind.MARKS, "sealed", answer({"x": 1})),
    "sealed marks in an open question": choice(
        Kind.MARKS, "budget", {"area": "pl/a", "sealed": "00"}
    ),
    "sealed marks that do not open": choice(
        Kind.SEAL, "sealed", {"area": "pl/a", "sealed": "00" * 60}
    ),
    "an area that is not publishable": choice(Kind.CHOICE_AREA, "budget", answer({"x": 1}, "pl/b")),
    "an area outside the electorate": choice(Kind.CHOICE_AREA, "budget", answer({"x": 1}, "xx")),
    # decisions and outcomes
    "a decision while people may choose": moved(
        Kind.DECISION, "decision.recorded", {"question": "budget"}, "choice.made", question="budget"
    ),
    "a decision before the close that is right otherwise": lambda some: (
        moved(
            Kind.DECISION,
            "question.closed",
            {"question": "budget"},
            "decision.recorded",
            question="budget",
        )(some),
        (Kind.DECISION, place(some, "decision.recorded", question="budget") + 1),
    )[1],
    "a decision on sealed choices": moved(
        Kind.DECISION,
        "decision.recorded",
        {"question": "sealed"},
        "question.closed",
        question="sealed",
    ),
    "a second decision": insert(Kind.DECISION, "decision.recorded", after={"question": "budget"}),
    "a decision that its rule does not give": edit(
        Kind.DECISION, "decision.recorded", {"question": "budget"}, adopted=["z"]
    ),
    "a tie that is not there": edit(
        Kind.DECISION, "decision.recorded", {"question": "budget"}, tied=["z"]
    ),
    "a decision on other voters": edit(
        Kind.DECISION, "decision.recorded", {"question": "budget"}, voters=13
    ),
    "a decision by another rule": edit(
        Kind.DECISION,
        "decision.recorded",
        {"question": "budget"},
        rule={"name": "greedy", "budget": 90, "exclusions": []},
    ),
    "a decision by somebody unknown": edit(
        Kind.UNKNOWN, "decision.recorded", {"question": "budget"}, by="who"
    ),
    "a decision without a rule for no option": append(
        Kind.DECISION,
        "decision.recorded",
        "question/scored",
        {**UNRULED, "adopted": ["w"]},
    ),
    "a decision without a rule on other voters": append(
        Kind.DECISION, "decision.recorded", "question/scored", {**UNRULED, "voters": 10}
    ),
    "an outcome without a decision": removed(
        Kind.OUTCOME, "decision.recorded", {"question": "budget"}, "outcome.reported"
    ),
    "an outcome of what was not adopted": edit(Kind.OUTCOME, "outcome.reported", {}, option="z"),
    # services and requests
    "a service twice": insert(Kind.AGAIN, "service.defined", after={}),
    "an offer twice": insert(Kind.AGAIN, "offer.published", after={}),
    "an offer of an unknown service": insert(
        Kind.UNKNOWN,
        "offer.published",
        {"offer": "o2", "service": "none"},
        after={},
        subject="service/none",
    ),
    "an arrangement that replaces another": edit(
        Kind.PREVIOUS, "arrangement.chosen", {}, previous="visits"
    ),
    "an arrangement under no offer": edit(Kind.UNKNOWN, "arrangement.chosen", {}, offer="promises"),
    "an arrangement ended twice": insert(Kind.PREVIOUS, "arrangement.ended", after={}),
    "an arrangement under a withdrawn offer": both(
        add(
            Kind.SERVICE,
            "offer.published",
            "offer.withdrawn",
            "service/care",
            {"offer": "visits", "service": "care"},
        ),
        edit(Kind.SERVICE, "arrangement.chosen", {}),
    ),
    "a request twice": insert(Kind.AGAIN, "request.made", after={}),
    "a request to another provider": edit(Kind.SERVICE, "request.made", {}, organisation="other"),
    "a request from elsewhere": edit(Kind.SERVICE, "request.made", {}, area="xx"),
    "a request from an area that is not publishable": edit(
        Kind.CHOICE_AREA, "request.made", {}, area="pl/b"
    ),
    "a request that skips a stage": moved(Kind.STAGE, "request.confirmed", {}, "request.made"),
    "a request acknowledged twice": insert(Kind.STAGE, "request.acknowledged", after={}),
    "a step of an unknown request": removed(
        Kind.UNKNOWN, "request.made", {}, "request.acknowledged"
    ),
    # the ledger about itself
    "a key in the place of another one": both(
        append(Kind.KEY, *ROTATION, {"previous": VKEYS[0], "vkey": VKEYS[1]}),
        append(Kind.KEY, *ROTATION, {"previous": VKEYS[0], "vkey": KEY.verifier.vkey}),
    ),
    "a key that was used before": both(
        append(Kind.KEY, *ROTATION, {"previous": VKEYS[0], "vkey": VKEYS[1]}),
        append(Kind.KEY, *ROTATION, {"previous": VKEYS[1], "vkey": VKEYS[0]}),
    ),
    "a digest of the same position again": both(
        append(Kind.DIGEST, *DIGEST, {**ATTESTED, "position": 9}),
        append(Kind.DIGEST, *DIGEST, {**ATTESTED, "position": 9}),
    ),
    "a digest of what is to come": append(
        Kind.DIGEST,
        *DIGEST,
        {**ATTESTED, "position": 1_000},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found_where_it_is_broken(tmp_path: Path, name: str) -> None:
    some = events()
    expected = BROKEN[name](some)
    report = audited(folder_of(tmp_path, encoded(some)))
    assert expected in found(report)
    assert report.findings.listed()[0].position == expected[1], (
        "it must come before what follows from it"
    )


def test_the_honest_log_breaks_no_rule(tmp_path: Path) -> None:
    report = audited(folder_of(tmp_path, honest()))
    assert report.findings.listed() == []
    assert report.numbers.entries == len(honest())
    assert report.numbers.decisions == 3


def test_a_choice_outside_its_window(tmp_path: Path) -> None:
    """Before it begins, at its very beginning, just before its end, and at the end."""
    times = {
        "2026-03-01T11:59:59.999999Z": False,
        "2026-03-01T12:00:00.000000Z": True,
        "2026-03-01T23:59:59.999999Z": True,
        "2026-03-02T00:00:00.000000Z": False,
    }
    for number, (time, is_right) in enumerate(times.items()):
        some = events()
        at = place(some, "question.opened", question="said")
        window = opened(closes="2026-03-02T00:00:00.000000Z")
        asked = of_type("question.opened", "question/new", some[at], window)
        data = {"question": "new", "voter": PERSON, "answer": answer({"x": 1})}
        chosen = of_type("choice.made", "question/new", some[at], data)
        # Times go backwards by less than a day here: only the window is in question.
        some[at + 1 :] = [asked, {**chosen, "time": time}]
        kinds = {
            kind for kind, _ in found(audited(folder_of(tmp_path / str(number), encoded(some))))
        }
        assert (Kind.NOT_OPEN not in kinds) is is_right, time


def test_more_voters_than_the_roll(tmp_path: Path) -> None:
    """Fifteen people: as many may choose, and the sixteenth voter is one too many."""
    some = events()
    at = place(some, "choice.changed", question="budget")
    extra = [
        another(some[place(some, "choice.made", question="budget")], voter=f"{n:032x}")
        for n in range(1, 5)
    ]
    for one in extra:
        one["data"]["answer"] = answer({"z": 1}, "pl")
        one["time"] = some[at]["time"]
    some[at:at] = extra
    assert found(audited(folder_of(tmp_path / "more", encoded(some)))) >= {
        (Kind.MORE_VOTERS, at + 3),
        (Kind.MORE_VOTERS, at + 4),
    }
    assert (Kind.MORE_VOTERS, at + 2) not in found(
        audited(folder_of(tmp_path / "again", encoded(some)))
    )


def test_more_voters_than_the_roll_of_a_smaller_area(tmp_path: Path) -> None:
    some = events()
    at = place(some, "choice.changed", question="budget")
    one = another(some[place(some, "choice.made", question="budget")], voter=PERSON)
    one["time"] = some[at]["time"]
    some.insert(at, one)
    assert (Kind.MORE_VOTERS, at + 1) in found(audited(folder_of(tmp_path, encoded(some))))


def test_those_who_left_may_still_be_counted_until_their_choice_lapses(tmp_path: Path) -> None:
    """As after a crash between the move and the lapse (docs/decisions/0005)."""
    some = [one for one in events() if one["type"] != "civic.choice.lapsed.v1"]
    report = audited(folder_of(tmp_path, encoded(some)))
    kinds = {kind for kind, _ in found(report)}
    assert Kind.MORE_VOTERS not in kinds


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda event: {**event, "id": "same/1"}, Kind.ID),
        (lambda event: {**event, "source": "other.example"}, Kind.SOURCE),
        (lambda event: {**event, "time": "2026-03-01T11:00:00.000000Z"}, Kind.TIME),
        (lambda event: {**event, "time": "2026-02-30T11:00:00.000000Z"}, Kind.FORM),
        (lambda event: {**event, "time": "2026-03-01T13:00:00.000000+01:00"}, Kind.FORM),
        (lambda event: {**event, "id": "no-number"}, Kind.FORM),
        (lambda event: {**event, "subject": "policy/08"}, Kind.FORM),
        (lambda event: {**event, "specversion": "2.0"}, Kind.FORM),
        (lambda event: {**event, "more": 1}, Kind.FORM),
        (lambda event: {**event, "type": "other.thing"}, Kind.FORM),
        (lambda event: {key: one for key, one in event.items() if key != "source"}, Kind.FORM),
    ],
)
def test_envelopes(tmp_path: Path, change: Callable[[Event], Event], kind: Kind) -> None:
    some = events()
    at = place(some, "policy.defined")
    some[0] = {**some[0], "id": "same/1"}
    some[at] = change(some[at])
    report = audited(folder_of(tmp_path, encoded(some)))
    places = {
        one.kind: (one.position or 0, one.last or one.position or 0)
        for one in report.findings.listed()
    }
    assert kind in places
    first, last = places[kind]
    assert first <= at + 1 <= last


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        b"[]",
        b"not json",
        b'{"a":1}\n',
        b"\xff",
        honest()[0] + b" ",
        honest()[0].replace(b'":"', b'": "', 1),
        honest()[0].replace(b'"data":', b'"data":{},"data":', 1),
        honest()[0].replace(b"Poland", b"Pol\\u0061nd"),
    ],
    ids=range(10),
)
def test_entries_that_are_not_canonical(tmp_path: Path, entry: bytes) -> None:
    report = audited(folder_of(tmp_path, [entry, *honest()[1:]]))
    assert (Kind.FORM, 1) in found(report)


def test_what_is_right_after_all(tmp_path: Path) -> None:
    """The decision without a rule, the rotation and the digest that the table above has wrong."""
    some = events()
    for right in (
        append(Kind.DECISION, "decision.recorded", "question/scored", UNRULED),
        append(Kind.KEY, *ROTATION, {"previous": VKEYS[0], "vkey": VKEYS[1]}),
        append(Kind.KEY, *ROTATION, {"previous": VKEYS[1], "vkey": KEY.verifier.vkey}),
        append(Kind.DIGEST, *DIGEST, {**ATTESTED, "position": 9}),
        append(Kind.DIGEST, *DIGEST, {**ATTESTED, "position": 10}),
        append(Kind.DIGEST, *DIGEST, {**ATTESTED, "position": 10, "version": 2}),
    ):
        right(some)
    assert audited(folder_of(tmp_path, encoded(some))).findings.listed() == []


def test_a_moment_backwards_is_no_finding(tmp_path: Path) -> None:
    some = events()
    at = place(some, "policy.defined")
    some[at]["time"] = "2026-03-01T11:59:30.000000Z"
    assert audited(folder_of(tmp_path, encoded(some))).clean


def test_an_event_of_a_type_to_come_is_said_not_to_be_checked(tmp_path: Path) -> None:
    some = events()
    some.append(of_type("picnic.held", "picnic/1", some[-1], {"cake": True}))
    report = audited(folder_of(tmp_path, encoded(some)))
    assert report.clean
    assert any("civic.picnic.held.v1" in one for one in report.unchecked)
