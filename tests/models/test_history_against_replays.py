"""As it stood at a position is what a replay up to that position gives; as it stands is the last of these."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.choices import LapseChoice, MakeChoice, WithdrawChoice
from ledger.domain.methods import Score
from ledger.domain.questions import AmendQuestion, CloseQuestion, Option, UnsealQuestion
from ledger.domain.roll import MakeAreaPublishable, MoveCitizen, RegisterCitizen
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, NewEvent
from ledger.recording import Ledger
from projections import question as question_model
from projections.answers import QuestionTally
from projections.catalogue import all_projections
from projections.queries import History, NotFound, Queries, StillSealed
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.unit.asking import ABC, question, sealed
from tests.unit.domain import AREAS
from tests.unit.ledgers import Clock, attempt, new_ledger

QUESTIONS = ("q", "s", "late")
PLACES = ("aa", "aa/bb", "aa/bb/cc", "aa/bb/dd")
PEOPLE = 4

people = st.integers(0, PEOPLE - 1)
asked = st.sampled_from(QUESTIONS)
steps = st.one_of(
    st.tuples(st.just("choose"), people, asked, st.sampled_from("abc"), st.integers(0, 5)),
    st.tuples(st.just("choose"), people, asked, st.sampled_from("abc"), st.integers(0, 5)),
    st.tuples(st.just("withdraw"), people, asked),
    st.tuples(st.just("move"), people, st.sampled_from(PLACES)),
    st.tuples(st.just("lapse"), people, asked),
    st.tuples(st.just("publish"), st.sampled_from(PLACES)),
    st.tuples(st.sampled_from(["close", "amend"]), asked),
    st.tuples(st.just("reveal")),
    st.tuples(st.just("ask")),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(question_model, "BLOCK", size)
        yield


def lived(ledger: Ledger, clock: Clock, course: Sequence[tuple[Any, ...]]) -> None:
    """Carry out what is allowed of a course of steps."""
    citizens = [ledger.vault.enrol(f"person/{n}") for n in range(PEOPLE)]
    method = Score(max_mark=5)
    for command in (
        *AREAS,
        *(RegisterCitizen(citizen=one, home=PLACES[n]) for n, one in enumerate(citizens)),
        question("q", area="aa", method=method),
        sealed("s", area="aa", method=method),
    ):
        ledger.execute(command)
    for name, *told in course:
        match name, told:
            case "wait", (hours,):
                clock.pass_by(hours=hours)
            case "ask", ():
                attempt(ledger, question("late", method=method))
            case "choose", (who, id_, option, mark):
                attempt(
                    ledger, MakeChoice(citizen=citizens[who], question=id_, marks={option: mark})
                )
            case "withdraw", (who, id_):
                attempt(ledger, WithdrawChoice(citizen=citizens[who], question=id_))
            case "lapse", (who, id_):
                attempt(ledger, LapseChoice(citizen=citizens[who], question=id_))
            case "move", (who, home):
                attempt(ledger, MoveCitizen(citizen=citizens[who], home=home))
            case "publish", (area,):
                attempt(ledger, MakeAreaPublishable(area=area, at_least=1))
            case "close", (id_,):
                attempt(ledger, CloseQuestion(question=id_))
            case "reveal", ():
                attempt(ledger, CloseQuestion(question="s"))
                attempt(ledger, UnsealQuestion(question="s"))
            case "amend", (id_,):
                options = (*ABC, Option(id="d", title="D"))
                attempt(ledger, AmendQuestion(question=id_, options=options))


Told = QuestionTally | type[Exception]


def told(ask: Any, *about: Any) -> Told:
    try:
        found: QuestionTally = ask(*about)
    except (NotFound, StillSealed) as error:
        return type(error)
    return found


def replays(log: MemoryLog) -> Iterator[tuple[int, str, Queries]]:
    """The read models of each beginning of the log, with its last event's position and day."""
    copy, store = MemoryLog(), SQLiteStore(None)
    worker = Worker(copy, store, all_projections())
    for record in log.select(EVERYTHING):
        event = NewEvent(record.type, record.entry, record.tags)
        copy.append_batch([Append((event,))])
        worker.catch_up()
        day = record.entry.partition(b'"time":"')[2][:10].decode()
        yield record.position, day, Queries(store)
    store.close()


@given(course=st.lists(steps, max_size=30), block=st.integers(1, 7))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_as_it_stood_is_what_a_replay_gives(course: list[tuple[Any, ...]], block: int) -> None:
    with blocks_of(block):
        clock = Clock()
        ledger = new_ledger(clock=clock)
        assert isinstance(ledger.log, MemoryLog)
        lived(ledger, clock, course)
        store = SQLiteStore(None)
        Worker(ledger.log, store, all_projections(), batch=5).catch_up()
        history, live = History(store, ledger.log), Queries(store)
        ends_of_days: dict[tuple[str, str, str | None], Told] = {}
        about = [(id_, area) for id_ in QUESTIONS for area in (None, *PLACES)]
        for position, day, replayed in replays(ledger.log):
            for id_, area in about:
                if area is not None and position < len(AREAS):
                    continue  # the area itself was not there yet
                then = told(replayed.tally, id_, area)
                assert told(history.at, id_, area, position) == then
                ends_of_days[day, id_, area] = then
        head = ledger.log.head()
        for id_, area in about:
            assert told(history.at, id_, area, head) == told(live.tally, id_, area)
        for (day, id_, area), then in ends_of_days.items():
            on = told(history.on, id_, area, day)
            assert _counted(on) == _counted(then)
        store.close()
        ledger.close()


def _counted(found: Told) -> Any:
    """What a tally says but for the position, which is that of the read models where a day is asked about."""
    if isinstance(found, QuestionTally):
        return found.model_dump(exclude={"position", "day"})
    return found
