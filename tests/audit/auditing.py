"""Logs for the auditor's tests: a small honest one, made by the ledger itself, and what becomes of it by tampering."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from ledger.domain.areas import DefineArea
from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.counting.rules import Greedy, Plurality, Share, Threshold
from ledger.domain.deciding import Command
from ledger.domain.methods import Agreement, Approval, Points, Ranking, Score, Single
from ledger.domain.organisations import RegisterOrganisation
from ledger.domain.outcomes import RecordDecision, ReportOutcome
from ledger.domain.policies import DefinePolicy
from ledger.domain.questions import (
    AmendQuestion,
    CloseQuestion,
    OpenQuestion,
    Option,
    UnsealQuestion,
)
from ledger.domain.requests import (
    AcknowledgeRequest,
    ConfirmRequest,
    DeliverRequest,
    MakeRequest,
    RateRequest,
)
from ledger.domain.roll import (
    JoinCommunity,
    LeaveArea,
    MakeAreaPublishable,
    MoveCitizen,
    RegisterCitizen,
)
from ledger.domain.services import ChooseOffer, DefineService, EndArrangement, PublishOffer
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING
from ledger.transparency.keys import SigningKey
from services.audit.findings import Kind
from services.audit.report import Report
from services.audit.run import Options, audit
from tests.audit.trees import write_tree
from tests.unit.ledgers import Clock, carry_out, new_ledger

KEY = SigningKey("ledger.example/x", bytes(range(32)))

Event = dict[str, Any]
"""An entry, parsed."""

PEOPLE = 12


@cache
def honest() -> tuple[bytes, ...]:
    """The entries of a small log with every family of events, made by the ledger's own commands."""
    log, clock = MemoryLog(), Clock()
    ledger = new_ledger(log, clock=clock)
    ids = list(ledger.vault.enrol_all([f"person/{n}" for n in range(PEOPLE + 3)]).values())
    people = ids[:PEOPLE]

    def do(*commands: Command) -> None:
        for command in commands:
            clock.pass_by(seconds=1)
            carry_out(ledger, command)

    do(
        DefineArea(area="pl", name="Poland"),
        DefineArea(area="pl/a", name="A"),
        DefineArea(area="pl/b", name="B"),
        DefineArea(area="pl/a/school", name="School", kind="community"),
        DefinePolicy(policy="07", name="Health"),
        RegisterOrganisation(organisation="town", name="Town", kind="public-body", area="pl"),
        *(RegisterCitizen(citizen=one, home="pl/a") for one in people),
        *(RegisterCitizen(citizen=one, home="pl/b") for one in ids[PEOPLE:]),
        MakeAreaPublishable(area="pl/a"),
        JoinCommunity(citizen=people[0], area="pl/a/school"),
    )
    options = tuple(Option(id=one, title=one.upper(), cost=cost) for one, cost in _COSTS.items())
    until = "2026-03-02T00:00:00Z"
    do(
        _question("budget", Approval(maximum=2), options, rule=Greedy(budget=60), closes=until),
        AmendQuestion(question="budget", about="Where should the money go?"),
        _question("sealed", Single(), options, rule=Plurality(), results="after_close"),
        _question("ranked", Ranking(), options),
        _question("scored", Score(max_mark=5), options),
        _question("points", Points(total=5), options),
        _question("said", Agreement(), options[:1], rule=_MAJORITY),
        OpenQuestion(
            question="mandate",
            title="Health",
            area="pl",
            policy="07",
            mandate=True,
            method=Single(),
            options=(Option(id="t", title="T", organisation="town"),),
        ),
    )
    for n, one in enumerate(people):
        a, b = ("x", "y") if n % 3 else ("y", "z")
        do(
            MakeChoice(citizen=one, question="budget", marks={a: 1, b: 1}),
            MakeChoice(citizen=one, question="sealed", marks={a: 1}),
            MakeChoice(citizen=one, question="ranked", marks={a: 1, b: 2}),
            MakeChoice(citizen=one, question="scored", marks={a: 5, b: 0}),
            MakeChoice(citizen=one, question="points", marks={a: 3, b: 2}),
            MakeChoice(citizen=one, question="said", marks={"x": (-1, 0, 1, 1)[n % 4]}),
        )
    do(
        MakeChoice(citizen=ids[-1], question="budget", marks={"z": 1}),
        MakeChoice(citizen=people[0], question="budget", marks={"x": 1}),
        MakeChoice(citizen=people[1], question="sealed", marks={"z": 1}),
        WithdrawChoice(citizen=people[2], question="budget"),
        MakeChoice(citizen=people[2], question="budget", marks={"y": 1}),
        WithdrawChoice(citizen=people[3], question="sealed"),
        MakeChoice(citizen=people[4], question="mandate", marks={"t": 1}),
        MoveCitizen(citizen=people[4], home="pl/b"),
        LeaveArea(citizen=people[5], area="pl/a"),
        RecordDecision(question="said"),
        CloseQuestion(question="sealed"),
        UnsealQuestion(question="sealed"),
        RecordDecision(question="sealed"),
        DefineService(service="care", title="Care", area="pl", policy="07"),
        PublishOffer(offer="visits", service="care", organisation="town", title="Visits"),
        ChooseOffer(citizen=people[0], offer="visits"),
        EndArrangement(citizen=people[0], service="care"),
        ChooseOffer(citizen=people[0], offer="visits"),
        MakeRequest(citizen=people[0], request="r1", offer="visits", about="at home"),
        AcknowledgeRequest(organisation="town", request="r1"),
        DeliverRequest(organisation="town", request="r1"),
        ConfirmRequest(citizen=people[0], request="r1"),
        RateRequest(citizen=people[0], request="r1", rating=5),
    )
    clock.pass_by(days=1)
    do(
        CloseQuestion(question="budget"),
        RecordDecision(question="budget"),
        ReportOutcome(question="budget", option="x", stage="planned", percent=0),
    )
    return tuple(record.entry for record in log.select(EVERYTHING))


_COSTS = {"x": 30, "y": 20, "z": 40}
_MAJORITY = Threshold(share=Share(numerator=1, denominator=2))


def _question(name: str, method: Any, options: tuple[Option, ...], **more: Any) -> OpenQuestion:
    return OpenQuestion(
        question=name, title=name, area="pl", method=method, options=options, **more
    )


def events() -> list[Event]:
    """The same entries, parsed, to be changed."""
    return [orjson.loads(entry) for entry in honest()]


def encoded(some: Iterable[Event]) -> list[bytes]:
    return [orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in some]


def place(some: list[Event], type_: str, **data: Any) -> int:
    """The index of the first event of this type with these data. Its position is one more."""
    for index, one in enumerate(some):
        if one["type"] == f"civic.{type_}.v1" and data.items() <= one["data"].items():
            return index
    raise LookupError(f"no {type_} with {data}")


def another(event: Event, **data: Any) -> Event:
    """An event like this one, with an id of its own and other data."""
    another.number += 1  # type: ignore[attr-defined]
    id_ = f"another{another.number}/1"  # type: ignore[attr-defined]
    return {**event, "id": id_, "data": {**event["data"], **data}}


another.number = 0  # type: ignore[attr-defined]


def of_type(type_: str, subject: str, like: Event, data: Mapping[str, Any]) -> Event:
    """An event at the time of another one."""
    return {**another(like), "type": f"civic.{type_}.v1", "subject": subject, "data": dict(data)}


def folder_of(folder: Path, entries: Iterable[bytes]) -> Path:
    """The public files of a log of these entries, signed with the true key."""
    write_tree(folder, list(entries), KEY)
    return folder


def audited(folder: Path | str, **options: Any) -> Report:
    """What the auditor says of a folder, given the log's key."""
    return audit(Options(str(folder), **{"keys": (KEY.verifier,), **options}))


def found(report: Report) -> set[tuple[Kind, int | None]]:
    """What it found, and where."""
    return {(one.kind, one.position) for one in report.findings.listed()}


Change = Callable[[list[Event]], tuple[Kind, int]]
"""Changes events, and says what must be found at which position."""
