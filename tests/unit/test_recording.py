"""Commands are carried out once, on what the log says, or not at all."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger import recording
from ledger.domain.areas import AreaRetired, DefineArea, RenameArea, RetireArea
from ledger.domain.choices import ChoiceLapsed, MakeChoice
from ledger.domain.deciding import Command
from ledger.domain.policies import DefinePolicy, PolicyDefined, RenamePolicy
from ledger.domain.questions import CloseQuestion
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import LeaveArea, RegisterCitizen
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, LogUnavailable
from ledger.recording import Accepted, Ledger
from ledger.vault.keys import VaultError
from services.steward import Steward
from tests.unit.asking import question
from tests.unit.domain import COUNTRY, DISTRICT, TOWN
from tests.unit.ledgers import (
    ContestedLog,
    FailingLog,
    carry_out,
    events,
    new_ledger,
)

HEALTH = DefinePolicy(policy="07", name="Health")
CULTURE = DefinePolicy(policy="08", name="Culture")


def with_anna(ledger: Ledger, *more: Command) -> str:
    """A question of a town where one citizen lives. Her id."""
    anna = ledger.vault.enrol("anna")
    registered = RegisterCitizen(citizen=anna, home="aa/bb/cc")
    carry_out(ledger, COUNTRY, TOWN, DISTRICT, registered, question(), *more)
    return anna


def choice(citizen: str, option: str = "a") -> MakeChoice:
    return MakeChoice(citizen=citizen, question="q", marks={option: 1})


# The same command twice


def test_a_command_is_carried_out_once_however_often_it_is_sent() -> None:
    ledger = new_ledger()
    assert ledger.execute(HEALTH, "c1") == Accepted(1)
    ledger.execute(CULTURE)
    assert ledger.execute(HEALTH, "c1") == Accepted(1, again=True)
    assert ledger.execute_all([("c1", HEALTH), ("c1", HEALTH)]) == [Accepted(1, again=True)] * 2
    assert ledger.log.head() == 2


def test_twice_in_one_call() -> None:
    ledger = new_ledger()
    answers = ledger.execute_all([("c1", HEALTH), ("c2", CULTURE), ("c1", HEALTH)])
    assert answers == [Accepted(1), Accepted(2), Accepted(1, again=True)]
    assert ledger.log.head() == 2


def test_by_several_callers_at_once() -> None:
    ledger = new_ledger()
    start = threading.Barrier(8)

    def call(n: int) -> Accepted:
        start.wait()
        return ledger.execute(DefinePolicy(policy=f"p{n % 2}", name="P"), f"c{n % 2}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(8)))
    assert sorted(one.again for one in answers) == [False] * 2 + [True] * 6
    assert ledger.log.head() == 2


def test_by_two_processes_that_share_a_log() -> None:
    log = MemoryLog()
    one, other = new_ledger(log), new_ledger(log)
    assert one.execute(HEALTH, "c1") == Accepted(1)
    assert other.execute(HEALTH, "c1") == Accepted(1, again=True)


def test_again_although_it_would_be_refused_by_now() -> None:
    ledger = new_ledger()
    anna = with_anna(ledger)
    made = ledger.execute(choice(anna), "c1")
    carry_out(ledger, CloseQuestion(question="q"))
    assert ledger.execute(choice(anna), "c1") == Accepted(made.position, again=True)
    with pytest.raises(Refused):
        ledger.execute(choice(anna), "c2")


def test_once_refused_it_may_be_sent_again() -> None:
    ledger = new_ledger()
    rename = RenamePolicy(policy="07", name="Well-being")
    with pytest.raises(Refused):
        ledger.execute(rename, "c1")
    assert ledger.log.head() == 0
    ledger.execute(HEALTH)
    assert ledger.execute(rename, "c1") == Accepted(2)


def test_commands_without_an_id_are_different_commands() -> None:
    ledger = new_ledger()
    anna = with_anna(ledger)
    first, second = ledger.execute(choice(anna)), ledger.execute(choice(anna))
    assert (first.again, second.again) == (False, False)
    assert second.position == first.position + 1


# Others at the same time


@pytest.mark.parametrize("times", [1, 2, recording.ATTEMPTS - 1])
def test_a_conflict_leads_to_a_new_decision(times: int) -> None:
    ledger = new_ledger(ContestedLog(times))
    assert ledger.execute(HEALTH, "c1") == Accepted(1)
    assert events(ledger.log) == [PolicyDefined(policy="07", name="Health")]


def test_after_too_many_conflicts_it_gives_up() -> None:
    ledger = new_ledger(ContestedLog(recording.ATTEMPTS))
    with pytest.raises(LogUnavailable, match="send it again"):
        ledger.execute(HEALTH, "c1")
    assert ledger.execute(HEALTH, "c1") == Accepted(1)


def test_nobody_is_refused_for_what_was_true_before() -> None:
    """What one process remembers of questions and areas may be behind; a refusal never rests on it."""
    log = MemoryLog()
    one, other = new_ledger(log), new_ledger(log)
    anna = one.vault.enrol("anna")
    registered = RegisterCitizen(citizen=anna, home="aa")
    with pytest.raises(Refused):
        one.execute(registered)  # from here on it remembers that there is no area
    other.execute(COUNTRY)
    assert one.execute(registered).position == 2


def test_nothing_is_accepted_for_what_was_true_before() -> None:
    log = MemoryLog()
    one, other = new_ledger(log), new_ledger(log)
    anna = with_anna(one)
    one.execute(choice(anna))
    carry_out(other, CloseQuestion(question="q"), RetireArea(area="aa/bb/cc"))
    with pytest.raises(Refused) as closed:
        one.execute(choice(anna, "b"))
    with pytest.raises(Refused) as retired:
        one.execute(RegisterCitizen(citizen=one.vault.enrol("ben"), home="aa/bb/cc"))
    assert closed.value.reason is Reason.QUESTION_CLOSED
    assert retired.value.reason is Reason.AREA_RETIRED
    (outcome,) = one.execute_all([("c1", RenameArea(area="aa/bb/cc", name="C"))])
    assert isinstance(outcome, Refused)
    assert isinstance(events(log)[-1], AreaRetired)


def test_what_one_has_just_done_is_no_reason_to_overlook_what_another_does_next() -> None:
    """What a process did itself it need not read again; what comes right after it, it must notice."""
    log = MemoryLog()
    one = new_ledger(log)
    other = new_ledger(log, one.vault)
    anna = with_anna(one)
    carry_out(one, question("q2"))
    carry_out(other, CloseQuestion(question="q2"))
    with pytest.raises(Refused) as closed:
        one.execute(MakeChoice(citizen=anna, question="q2", marks={"a": 1}))
    ben = one.vault.enrol("ben")
    carry_out(one, RegisterCitizen(citizen=ben, home="aa/bb/cc"))
    carry_out(other, LeaveArea(citizen=ben, area="aa/bb/cc"))
    with pytest.raises(Refused) as left:
        one.execute(choice(ben))
    assert closed.value.reason is Reason.QUESTION_CLOSED
    assert left.value.reason is Reason.NOT_ON_THE_ROLL


# Failures


@pytest.mark.parametrize("failing", ["before", "after"])
def test_when_the_log_fails_nothing_is_half_done_and_the_same_id_may_be_sent_again(
    failing: str,
) -> None:
    log = FailingLog()
    ledger = new_ledger(log)
    log.failing = failing
    with pytest.raises(LogUnavailable):
        ledger.execute(HEALTH, "c1")
    log.failing = None
    assert ledger.execute(HEALTH, "c1") == Accepted(1, again=failing == "after")
    assert ledger.execute(CULTURE) == Accepted(2)


def test_a_command_that_cannot_be_decided_does_not_take_others_down_with_it() -> None:
    ledger = new_ledger()
    ledger.execute(COUNTRY)
    nobody = RegisterCitizen(citizen="f" * 32, home="aa")  # the vault holds no keys for this id
    start = threading.Barrier(9)

    def call(command: Command) -> Accepted:
        start.wait()
        return ledger.execute(command)

    for round_ in range(10):
        others = [DefinePolicy(policy=f"{round_}/{n}", name="P") for n in range(8)]
        with ThreadPoolExecutor(9) as pool:
            *answers, unknown = [pool.submit(call, one) for one in (*others, nobody)]
            assert isinstance(unknown.exception(), VaultError)
            assert not any(one.result().again for one in answers)
    with pytest.raises(VaultError):
        ledger.execute_all([("c1", nobody), ("c2", CULTURE)])
    assert ledger.execute(CULTURE, "c2").again


def test_a_caller_who_no_longer_waits_does_not_hold_up_the_others() -> None:
    ledger = new_ledger()

    async def impatient() -> Accepted:
        for n in range(20):
            waiting = asyncio.ensure_future(
                ledger.submit(DefinePolicy(policy=f"p{n}", name="P"), f"c{n}")
            )
            await asyncio.sleep(0)
            waiting.cancel()
        return await asyncio.wait_for(ledger.submit(HEALTH), timeout=5)

    assert asyncio.run(impatient()).again is False


def test_a_closed_ledger_says_so() -> None:
    ledger = new_ledger()
    ledger.execute(HEALTH)
    ledger.close()
    with pytest.raises(LogUnavailable, match="closed"):
        ledger.execute(CULTURE)


# What follows from a departure


def test_choices_lapse_with_the_departure_one_by_one() -> None:
    ledger = new_ledger()
    anna = with_anna(ledger, question("q2"), question("q3", area="aa"))
    for id_ in ("q", "q2", "q3"):
        ledger.execute(MakeChoice(citizen=anna, question=id_, marks={"a": 1}))
    ledger.execute(LeaveArea(citizen=anna, area="aa/bb/cc"))
    lapsed = [event for event in events(ledger.log) if isinstance(event, ChoiceLapsed)]
    assert sorted(event.question for event in lapsed) == ["q", "q2", "q3"]
    assert ledger.lapse_outgrown(anna) == 0


def test_what_a_crash_left_standing_is_ended_by_the_steward(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = new_ledger()
    anna = with_anna(ledger)
    ledger.execute(choice(anna))
    with monkeypatch.context() as crash:
        crash.setattr(Ledger, "lapse_outgrown", lambda *_: 0)
        ledger.execute(LeaveArea(citizen=anna, area="aa/bb/cc"))
    assert not any(isinstance(event, ChoiceLapsed) for event in events(ledger.log))
    steward = Steward(ledger, queries=None, publishable_from=10)  # type: ignore[arg-type]
    steward.lapse_outgrown()
    steward.lapse_outgrown()
    assert sum(isinstance(event, ChoiceLapsed) for event in events(ledger.log)) == 1


def test_an_entry_names_the_ledger_and_the_moment() -> None:
    ledger = new_ledger()
    ledger.execute(DefineArea(area="aa", name="Aa"), "c1")
    (record,) = ledger.log.select(EVERYTHING)
    assert b'"id":"c1/1"' in record.entry
    assert b'"source":"ledger.example/x"' in record.entry
    assert b'"time":"2026-03-01T12:00:00.000000Z"' in record.entry
