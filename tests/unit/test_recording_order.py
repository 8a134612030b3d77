"""Many commands at once have the same effect as one after the other."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import decode
from ledger.domain.choices import CHOICE_TYPES, ChoiceLapsed, MakeChoice, WithdrawChoice
from ledger.domain.counting.rules import Plurality
from ledger.domain.deciding import Command
from ledger.domain.outcomes import RecordDecision
from ledger.domain.questions import AmendQuestion, CloseQuestion
from ledger.domain.refusals import Refused
from ledger.domain.roll import (
    JoinCommunity,
    LeaveArea,
    MakeAreaPublishable,
    MoveCitizen,
    RegisterCitizen,
)
from ledger.eventlog.port import EVERYTHING, Append, EventLog
from ledger.recording import Accepted, Ledger, new_id
from ledger.vault.vault import Vault
from tests.unit.asking import question
from tests.unit.domain import AREAS
from tests.unit.ledgers import MASTER_KEY, WatchedLog, attempt, events, new_ledger

VAULT = Vault(None, MASTER_KEY)
PEOPLE = list(VAULT.enrol_all(["anna", "ben"]).values())
HOMES = ["aa/bb/cc", "aa/bb/dd", "aa"]
QUESTIONS = ["q1", "q2"]

people, homes, asked = map(st.sampled_from, (PEOPLE, HOMES, QUESTIONS))
marks = st.sampled_from([{"a": 1}, {"b": 1}, {"x": 1}])
commands = st.one_of(
    st.builds(RegisterCitizen, citizen=people, home=homes),
    st.builds(MoveCitizen, citizen=people, home=homes),
    st.builds(JoinCommunity, citizen=people, area=st.just("aa/bb/club")),
    st.builds(LeaveArea, citizen=people, area=st.sampled_from([*HOMES, "aa/bb/club"])),
    st.builds(MakeAreaPublishable, area=st.sampled_from(HOMES), at_least=st.integers(1, 2)),
    st.builds(
        lambda id_, area: question(id_, area=area, rule=Plurality()),
        asked,
        st.sampled_from([*HOMES, "aa/bb/club"]),
    ),
    st.builds(MakeChoice, citizen=people, question=asked, marks=marks),
    st.builds(MakeChoice, citizen=people, question=asked, marks=marks),
    st.builds(WithdrawChoice, citizen=people, question=asked),
    st.builds(AmendQuestion, question=asked, title=st.just("Which one?")),
    st.builds(CloseQuestion, question=asked),
    st.builds(RecordDecision, question=asked),
)
batches = st.lists(st.lists(commands, max_size=12), min_size=1, max_size=4)

BEGINNING: list[Command] = [
    RegisterCitizen(citizen=PEOPLE[0], home="aa/bb/cc"),
    question("q1", area="aa/bb", rule=Plurality()),
]


def content(log: EventLog) -> dict[str, list[Any]]:
    """What happened to each citizen and to each question, in order.

    Between two events of a question itself, the choices of different people may come in any order,
    and so may those that end when somebody leaves.
    """
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for record in log.select(EVERYTHING):
        one = (record.type, decode(record.entry).event.model_dump_json(), record.tags)
        for tag in record.tags:
            story = found[tag]
            free = CHOICE_TYPES if tag.startswith("question:") else (ChoiceLapsed.type,)
            if tag.startswith("voter:") or record.type not in free:
                story.append(one)
            elif story and isinstance(story[-1], Counter):
                story[-1][one] += 1
            else:
                story.append(Counter([one]))
    return {tag: story for tag, story in found.items() if not tag.startswith("area:")}


def one_by_one(ledger: Ledger, given_: Sequence[Command]) -> list[str]:
    return [said(attempt(ledger, command)) for command in given_]


def together(ledger: Ledger, given_: Sequence[Command]) -> list[str]:
    return [said(one) for one in ledger.execute_all([(new_id(), one) for one in given_])]


def said(outcome: Accepted | Refused) -> str:
    return outcome.reason if isinstance(outcome, Refused) else "accepted"


@settings(max_examples=300, deadline=None)
@given(batches)
def test_together_as_one_by_one(given_batches: list[list[Command]]) -> None:
    slow, fast = new_ledger(vault=VAULT), new_ledger(vault=VAULT)
    for ledger in (slow, fast):
        for command in (*AREAS, *BEGINNING):
            ledger.execute(command)
    for batch in given_batches:
        assert together(fast, batch) == one_by_one(slow, batch)
        assert content(fast.log) == content(slow.log)
    for ledger in (slow, fast):
        ledger.close()


A, B = (MakeChoice(citizen=PEOPLE[0], question="q1", marks=marks) for marks in ({"a": 1}, {"b": 1}))
CLOSE = CloseQuestion(question="q1")
MOVE = MoveCitizen(citizen=PEOPLE[0], home="aa")
MOVE_BACK = MoveCitizen(citizen=PEOPLE[0], home="aa/bb/cc")


@pytest.mark.parametrize(
    ("batch", "happens"),
    [
        ([A, B, CLOSE], ["choice.made", "choice.changed", "question.closed"]),
        ([CLOSE, A], ["question.closed"]),
        ([WithdrawChoice(citizen=PEOPLE[0], question="q1"), A], ["choice.made"]),
        ([A, MOVE, CLOSE], ["choice.made", "citizen.moved", "choice.lapsed", "question.closed"]),
        ([A, CLOSE, MOVE], ["choice.made", "question.closed", "citizen.moved"]),
        (
            [A, MOVE, MOVE_BACK],
            ["choice.made", "citizen.moved", "choice.lapsed", "citizen.moved"],
        ),
        (
            [RecordDecision(question="q1"), A, RecordDecision(question="q1")],
            ["decision.recorded", "choice.made", "decision.recorded"],
        ),
    ],
    ids=lambda one: " ".join(getattr(command, "verb", "") for command in one),
)
def test_order_matters(batch: list[Command], happens: list[str]) -> None:
    ledger = new_ledger(vault=VAULT)
    for command in (*AREAS, *BEGINNING):
        ledger.execute(command)
    before = ledger.log.head()
    together(ledger, batch)
    assert [event.type[6:-3] for event in events(ledger.log)[before:]] == happens


def test_order_matters_even_when_another_process_is_faster() -> None:
    """A choice that must be decided again is still decided before the close that was given after it."""
    log = WatchedLog()
    ledger, other = new_ledger(log, VAULT), new_ledger(log, VAULT)
    for command in (*AREAS, *BEGINNING):
        ledger.execute(command)

    def another_is_faster(_: Sequence[Append]) -> None:
        log.watch = lambda appends: None
        other.execute(A)

    log.watch = another_is_faster
    assert together(ledger, [B, CLOSE]) == ["accepted", "accepted"]
    happened = [event.type[6:-3] for event in events(log)[-3:]]
    assert happened == ["choice.made", "choice.changed", "question.closed"]
