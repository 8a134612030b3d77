"""What every event log owes its callers (`ledger.eventlog.port`), as one suite for all recorders.

A recorder's test module inherits from `EventLogContract` and makes logs in `open_log`; one that outlives its
process also takes `DurableLogContract`.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.tests import DCBRecorderTestCase
from eventsourcing.persistence import IntegrityError, ProgrammingError

from ledger.eventlog.port import (
    EVERYTHING,
    Append,
    Appended,
    Conflict,
    EventLog,
    Guard,
    NewEvent,
    Record,
    Selection,
)


def event(name: str, *tags: str, type_: str = "thing") -> NewEvent:
    return NewEvent(type_, name.encode(), tags, id=f"{name}/1")


def unless(*tags: str, after: int = 0, types: tuple[str, ...] = ()) -> tuple[Guard, ...]:
    return (Guard(Selection(types, tags), after),)


def joined(records: Sequence[Record]) -> str:
    return "".join(record.entry.decode() for record in records)


def entries(log: EventLog) -> list[str]:
    return [record.entry.decode() for record in log.select(EVERYTHING)]


class EventLogContract:
    """Holds for every log."""

    def open_log(self, folder: Path) -> EventLog:
        raise NotImplementedError

    @pytest.fixture
    def log(self, tmp_path: Path) -> Iterator[EventLog]:
        log = self.open_log(tmp_path)
        yield log
        log.close()

    def test_the_librarys_own_test_of_append_and_read(self, log: EventLog) -> None:
        DCBRecorderTestCase()._test_append_read(log)

    def test_the_librarys_own_test_of_subscriptions(self, log: EventLog) -> None:
        DCBRecorderTestCase()._test_append_subscribe(log)

    def test_an_empty_log(self, log: EventLog) -> None:
        assert log.head() == 0
        assert log.select(EVERYTHING) == []
        assert log.position_of("nothing/1") is None
        with pytest.raises(ProgrammingError):
            log.append([])

    def test_a_record_comes_back_as_it_was_given(self, log: EventLog) -> None:
        given = NewEvent("civic.x.v1", b'{"\xc5\xbc":"\x00"}', ("b", "a", "ż:1"), id="é/1")
        log.append_batch([Append((given,))])
        (record,) = log.select(EVERYTHING)
        assert record == (1, given.type, given.entry, given.tags)
        assert log.position_of("é/1") == 1

    def test_events_of_one_append_stand_together(self, log: EventLog) -> None:
        outcomes = log.append_batch(
            [Append((event("a"), event("b"))), Append((event("c"), event("d"), event("e")))]
        )
        assert outcomes == [Appended(2), Appended(5)]
        assert entries(log) == ["a", "b", "c", "d", "e"]

    def test_all_or_nothing(self, log: EventLog) -> None:
        log.append_batch([Append((event("old", "x"),))])
        (outcome,) = log.append_batch([Append((event("a"), event("b")), unless("x"))])
        assert isinstance(outcome, Conflict)
        assert entries(log) == ["old"]

    def test_a_guard_sees_the_appends_before_it_in_the_batch(self, log: EventLog) -> None:
        outcomes = log.append_batch(
            [
                Append((event("a", "x"),), unless("x")),
                Append((event("b", "x"),), unless("x")),
                Append((event("c", "y"),), unless("y")),
            ]
        )
        assert [isinstance(one, Conflict) for one in outcomes] == [False, True, False]
        assert entries(log) == ["a", "c"]

    def test_a_guard_counts_only_events_after_its_position(self, log: EventLog) -> None:
        log.append_batch([Append((event("a", "x"),)), Append((event("b", "x"),))])
        early, late = log.append_batch(
            [
                Append((event("c"),), unless("x", after=1)),
                Append((event("d"),), unless("x", after=2)),
            ]
        )
        assert isinstance(early, Conflict)
        assert late == Appended(3)

    def test_a_guard_of_several_tags_needs_all_of_them(self, log: EventLog) -> None:
        log.append_batch([Append((event("a", "x"),)), Append((event("b", "y"),))])
        assert log.append_batch([Append((event("c", "x", "y"),), unless("x", "y"))]) == [
            Appended(3)
        ]
        (again,) = log.append_batch([Append((event("d"),), unless("y", "x"))])
        assert isinstance(again, Conflict)

    @pytest.mark.parametrize(
        ("selection", "expected"),
        [
            (Selection(), "abcd"),
            (Selection(("t1",)), "ac"),
            (Selection(("t1", "t2")), "abc"),
            (Selection((), ("x",)), "ab"),
            (Selection(("t1",), ("x",)), "a"),
            (Selection((), ("x", "y")), "b"),
            (Selection(("t9",)), ""),
            (Selection((), ("nobody",)), ""),
        ],
    )
    def test_selections(self, log: EventLog, selection: Selection, expected: str) -> None:
        log.append_batch(
            [
                Append(
                    (
                        event("a", "x", type_="t1"),
                        event("b", "x", "y", type_="t2"),
                        event("c", type_="t1"),
                        event("d", "y", type_="t3"),
                    )
                )
            ]
        )
        assert joined(log.select((selection,))) == expected
        if expected:
            limited = log.select((selection,), limit=1)
            assert limited[0].entry.decode() == expected[0]
            rest = log.select((selection,), after=limited[0].position)
            assert joined(rest) == expected[1:]
        (guarded,) = log.append_batch([Append((event("new"),), (Guard(selection, 0),))])
        assert isinstance(guarded, Conflict) == bool(expected)

    def test_many_selections_are_read_in_one_go(self, log: EventLog) -> None:
        log.append_batch(
            [
                Append((event("a", "x", type_="t1"), event("b", "x", type_="t2"))),
                Append((event("c", "y", type_="t2"), event("d", "x", type_="t1"))),
            ]
        )
        selections = [
            Selection(("t1", "t2"), ("x",)),
            Selection(("t2",), ("x",)),
            Selection(("t1",), ("y",)),
            Selection(("t1", "t2"), ("y",)),
            Selection((), ("x",)),
            Selection(("t1",)),
        ]
        each = log.select_each(selections)
        assert [joined(records) for records in each] == ["abd", "b", "", "c", "abd", "ad"]
        latest = log.latest_each(selections)
        assert [joined(records) for records in latest] == ["d", "b", "", "c", "d", "d"]

    def test_the_same_append_twice_is_stored_once(self, log: EventLog) -> None:
        append = Append((event("a", "x"), event("b", "x")), unless("x"))
        assert log.append_batch([append]) == [Appended(2)]
        log.append_batch([Append((event("c"),))])
        assert log.append_batch([append]) == [Appended(2, again=True)]
        assert log.submit(append).result() == Appended(2, again=True)
        assert entries(log) == ["a", "b", "c"]

    def test_the_same_append_twice_in_one_batch(self, log: EventLog) -> None:
        append = Append((event("a"),))
        assert log.append_batch([append, append]) == [Appended(1), Appended(1, again=True)]

    def test_of_concurrent_callers_on_one_boundary_exactly_one_wins(self, log: EventLog) -> None:
        callers, rounds = 8, 20
        start = threading.Barrier(callers)

        def call(caller: int, round_: int) -> bool:
            start.wait()
            append = Append((event(f"{round_}-{caller}", f"x{round_}"),), unless(f"x{round_}"))
            try:
                log.submit(append).result()
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(callers) as pool:
            for round_ in range(rounds):
                won = list(pool.map(call, range(callers), [round_] * callers))
                assert won.count(True) == 1
        assert log.head() == rounds

    def test_concurrent_callers_leave_no_gap_and_lose_nothing(self, log: EventLog) -> None:
        def call(caller: int) -> list[int]:
            return [
                log.submit(Append((event(f"{caller}-{n}"),))).result().position for n in range(50)
            ]

        with ThreadPoolExecutor(8) as pool:
            positions = [position for mine in pool.map(call, range(8)) for position in mine]
        assert sorted(positions) == list(range(1, 401))
        assert [record.position for record in log.select(EVERYTHING)] == list(range(1, 401))

    def test_a_condition_of_the_library_without_items_matches_everything(
        self, log: EventLog
    ) -> None:
        log.append([DCBEvent("t", b"1")])
        with pytest.raises(IntegrityError):
            log.append([DCBEvent("t", b"2")], DCBAppendCondition())
        query = DCBQuery([DCBQueryItem(types=["u"])])
        assert log.append([DCBEvent("t", b"2")], DCBAppendCondition(query)) == 2

    def test_a_long_log_is_streamed_to_the_head_it_had(self, log: EventLog) -> None:
        log.append_batch([Append((event(str(n)),)) for n in range(2_500)])
        response = log.read()
        next(response)
        log.append_batch([Append((event("late"),))])
        assert [one.position for one in response] == list(range(2, 2_501))
        assert response.head == 2_500

    def test_waiting_ends_with_the_next_event_or_with_the_time(self, log: EventLog) -> None:
        assert log.wait(0, timeout=0.05) is False
        timer = threading.Timer(0.05, lambda: log.append_batch([Append((event("a"),))]))
        timer.start()
        assert log.wait(0, timeout=10) is True
        timer.join()

    def test_a_subscription_ends_when_it_is_stopped(self, log: EventLog) -> None:
        with log.subscribe() as subscription:
            threading.Timer(0.05, subscription.stop).start()
            assert list(subscription) == []


class DurableLogContract:
    """Holds for a log that outlives its process."""

    def open_log(self, folder: Path) -> EventLog:
        raise NotImplementedError

    def test_a_restart_keeps_everything(self, tmp_path: Path) -> None:
        log = self.open_log(tmp_path)
        append = Append((event("a", "x"),), unless("x"))
        log.append_batch([append])
        log.close()
        log = self.open_log(tmp_path)
        assert entries(log) == ["a"]
        assert log.append_batch([append]) == [Appended(1, again=True)]
        (refused,) = log.append_batch([Append((event("b", "x"),), unless("x"))])
        assert isinstance(refused, Conflict)
        log.close()

    def test_a_reader_sees_another_logs_events_within_a_tenth_of_a_second(
        self, tmp_path: Path
    ) -> None:
        reader, writer = self.open_log(tmp_path), self.open_log(tmp_path)
        for n in range(5):
            writer.append_batch([Append((event(str(n)),))])
            assert reader.wait(n, timeout=0.1) is True
            assert reader.head() == n + 1
        reader.close()
        writer.close()
