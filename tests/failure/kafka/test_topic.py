"""Transactions that do not come about, and others who write to the topic."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from ledger.eventlog.kafka.client import Message
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka.producer import Producer
from ledger.eventlog.kafka.records import kept
from ledger.eventlog.port import EVERYTHING, Append, DamagedLog, NewEvent
from ledger.recording import Ledger
from tests.failure.kafka.table import Failure, name
from tests.failure.kafka.trial import SOON, Trial, told

NO_HEADERS_OF_OURS: list[list[tuple[str, bytes]]] = [
    [],
    [("position", b"1_0"), ("type", b"thing"), ("tags", b"[]")],
    [("position", b"3"), ("type", b"\xff"), ("tags", b"[]")],
    [("position", b"3"), ("type", b"thing"), ("tags", b"5")],
    [("position", b"3"), ("type", b"thing"), ("tags", b'["x", 5]')],
    [("position", b"3"), ("type", b"thing"), ("tags", b"no JSON")],
]
"""Headers of records that are not the log's."""


@contextmanager
def writing(trial: Trial, **settings: Any) -> Iterator[tuple[KafkaLog, Ledger]]:
    with trial.log("a", **settings) as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
        yield log, ledger


def aborted(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, others = Producer.commit_within, [trial.topic]

    def fenced_first(producer: Producer, seconds: float) -> None:
        if others:
            with trial.producer(transactional_id=others.pop()):
                pass
        commit(producer, seconds)

    with writing(trial) as (log, ledger):
        monkeypatch.setattr(Producer, "commit_within", fenced_first)
        message, _ = told(lambda: trial.ask(ledger, "a-0-2"))
        assert "another sequencer has taken over" in message
        assert "not known: ask again, with the same id" in message
        assert log.claim(SOON)
        trial.ask(ledger, "a-0-2", "a-0-3", "a-0-4")
    trial.check("a")


def intruding(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(trial) as (log, ledger), trial.producer() as producer, trial.log("b") as reader:
        for n, headers in enumerate(NO_HEADERS_OF_OURS):
            trial.intrude(producer, headers)
            trial.ask(ledger, f"a-1-{n}")
        reader.wait(log.head() - 1, SOON)
        assert reader.select(EVERYTHING) == log.select(EVERYTHING)
        assert log.intruders == reader.intruders == len(NO_HEADERS_OF_OURS)
    trial.check("a", "b")


def intruding_unseen(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(trial) as (log, ledger), trial.producer("intruder") as producer:
        for n in range(3):
            producer.begin_transaction()
            trial.intrude(producer)
            producer.abort_transaction()
            trial.ask(ledger, f"a-1-{n}")
        assert log.intruders == 0
    trial.check("a")


def holding_back(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = 3.0
    with writing(trial, patience=patience) as (log, ledger), trial.producer("x") as producer:
        producer.begin_transaction()
        trial.intrude(producer)
        for known in ("Whether this was written is not known", "This try has written nothing"):
            message, seconds = told(lambda: trial.ask(ledger, "a-0-2"))
            assert seconds < patience + 1
            assert trial.address in message
            assert "a transaction of another producer is open" in message
            assert "Only the sequencer may write to the topic" in message
            assert known in message
        with trial.log("b", patience=patience) as reader:  # opens, and shows what is certain
            assert reader.select(EVERYTHING) == log.select(EVERYTHING)
        producer.commit_transaction()
        assert log.claim(SOON)
        trial.ask(ledger, "a-0-2", "a-0-3", "a-0-4")
        assert log.intruders == 1
    trial.check("a", "b")


def forging_the_next(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(trial) as (log, ledger), trial.producer() as producer:
        before = log.select(EVERYTHING)
        offset = trial.forge(producer, log.head() + 1)
        with pytest.raises(DamagedLog, match=f"at offset {offset + 1} stands position"):
            ledger.execute(trial.command(ledger, "a-0-2"), "a-0-2")
        check_that_all_stop(trial, log, before)


def forging_an_old_one(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(trial) as (log, ledger), trial.producer() as producer, trial.log("b") as reader:
        before = log.select(EVERYTHING)
        offset = trial.forge(producer, 2)
        limit = time.monotonic() + SOON
        while reader.damage is None:
            assert time.monotonic() < limit
            time.sleep(0.05)
        with pytest.raises(DamagedLog, match=f"at offset {offset} stands position 2, which is rep"):
            reader.wait(log.head(), 0)
        assert reader.select(EVERYTHING) == before
        with pytest.raises(DamagedLog, match=f"at offset {offset} stands position 2, which is rep"):
            ledger.execute(trial.command(ledger, "a-0-2"), "a-0-2")
        check_that_all_stop(trial, log, before)


def check_that_all_stop(trial: Trial, log: KafkaLog, before: list[Any]) -> None:
    """What was good is still there, nothing comes after it, and nobody begins anew on it."""
    assert log.select(EVERYTHING)[: len(before)] == before
    for do in (
        lambda: log.append_batch([Append((NewEvent("thing", b"x", ()),))]),
        lambda: log.wait(log.head(), 1),
        log.verify,
    ):
        with pytest.raises(DamagedLog, match="Stop the sequencer, compare with a replica"):
            do()
    with pytest.raises(DamagedLog), trial.log("c"):
        pass


FAILURES = [
    Failure(
        "a transaction of the sequencer",
        "it is aborted between its records and its commit",
        "no reader sees the records; callers are told that nothing is known; asked again, each is written once",
        aborted,
    ),
    Failure(
        "somebody else writes to the topic",
        "records without our headers, or with headers that make no sense",
        "the sequencer notices before it answers, and answers what is in the log; every reader skips them, counts "
        "each once, and says at which offset it stands",
        intruding,
    ),
    Failure(
        "somebody else writes to the topic",
        "in a transaction that is aborted",
        "the sequencer goes on behind it; nobody sees it",
        intruding_unseen,
    ),
    Failure(
        "somebody else writes to the topic",
        "in a transaction that stays open",
        "callers are told within `CIVIC_PATIENCE` what holds the log back; readers show what is certain; all goes on "
        "by itself when the transaction ends",
        holding_back,
    ),
    Failure(
        "somebody else writes to the topic",
        "a record with our headers, at the next position",
        "the sequencer notices before it answers; it and all readers stop and name the offset; what was answered is "
        "in every replica. (While no sequencer runs, such a record cannot be told from a real one: rights must "
        "prevent it)",
        forging_the_next,
    ),
    Failure(
        "somebody else writes to the topic",
        "a record with our headers, at a position that there is already",
        "all readers stop there and name the offset; they still show what stands before it",
        forging_an_old_one,
    ),
]


def test_headers_without_values_are_not_ours() -> None:
    """Other clients can write such; kafka-python cannot."""
    without: Any = [("position", None), ("type", None), ("tags", None)]
    assert kept(Message(0, b"x", without)) is None


@pytest.mark.parametrize("failure", FAILURES, ids=name)
def test_failure(failure: Failure, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    happens: Callable[..., None] = failure.trial
    happens(trial, monkeypatch)
