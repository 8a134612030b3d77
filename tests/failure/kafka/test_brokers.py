"""Brokers are killed, and come back."""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial

import pytest

from deploy.kafka.broker import Broker, Cluster
from ledger.eventlog.kafka.producer import Producer
from ledger.eventlog.port import EVERYTHING
from tests.failure.kafka.table import Failure, name
from tests.failure.kafka.trial import SOON, Trial, Writer, told

PATIENCE = 4.0
LATE = 2.0
"""Seconds that a busy machine may take beside what is measured."""


def killed_and_started(trial: Trial, _: pytest.MonkeyPatch) -> None:
    writer = trial.writer("a", patience=SOON)
    writer.until("acknowledged", 20)
    (broker,) = trial.cluster.brokers
    broker.kill()
    broker.restart()
    began = time.monotonic()
    print(f"went on after {writer.more('acknowledged', 5) - began:.1f} s")
    writer.finish()
    assert not writer.all("told")
    trial.check("a")


def killed_for_longer(trial: Trial, _: pytest.MonkeyPatch) -> None:
    writer = trial.writer("a", patience=PATIENCE)
    writer.until("acknowledged", 20)
    (broker,) = trial.cluster.brokers
    broker.kill()
    writer.until("told", 10)
    broker.restart()
    began = time.monotonic()
    print(f"went on after {writer.more('acknowledged', 5) - began:.1f} s")
    writer.finish()
    check_told(trial, writer)
    trial.check("a")


def killed_after_its_answer(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    (broker,) = trial.cluster.brokers
    commit, to_kill = Producer.commit_within, [broker]

    def commit_and_kill(producer: Producer, seconds: float) -> None:
        commit(producer, seconds)
        if to_kill:
            to_kill.pop().kill()

    with trial.log("a", patience=SOON) as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
        monkeypatch.setattr(Producer, "commit_within", commit_and_kill)
        trial.ask(ledger, "a-0-2")
        broker.restart()
        with trial.log("b") as reader:
            assert reader.wait(log.head() - 1, SOON)
            assert reader.select(EVERYTHING) == log.select(EVERYTHING)
        trial.ask(ledger, "a-0-3", "a-0-4")
    trial.check("a", "b")


def silent(
    fall_silent: Callable[[Broker], None],
    come_back: Callable[[Broker], None],
    trial: Trial,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (broker,) = trial.cluster.brokers
    commit, to_fail = Producer.commit_within, [broker]

    def commit_to_nobody(producer: Producer, seconds: float) -> None:
        if to_fail:
            fall_silent(to_fail.pop())
        commit(producer, seconds)

    with trial.log("a", patience=PATIENCE) as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
        monkeypatch.setattr(Producer, "commit_within", commit_to_nobody)
        message, seconds = told(lambda: trial.ask(ledger, "a-0-2"))
        assert seconds < PATIENCE + LATE
        assert "not known: ask again, with the same id" in message
        message, seconds = told(lambda: trial.ask(ledger, "a-0-2"))
        assert seconds < LATE, "it is known already that it is of no use to wait"
        come_back(broker)
        assert log.claim(SOON)
        trial.ask(ledger, "a-0-2", "a-0-3", "a-0-4")
    trial.check("a")


def leader_killed(trial: Trial) -> None:
    writer = trial.writer("a", patience=SOON)
    writer.until("acknowledged", 20)
    leader = trial.cluster.leader(trial.topic)
    leader.kill()
    began = time.monotonic()
    print(f"went on after {writer.more('acknowledged', 5) - began:.1f} s")
    leader.restart()
    writer.more("acknowledged", 20)
    writer.finish()
    assert not writer.all("told")
    trial.check("a")


def two_killed(trial: Trial) -> None:
    writer = trial.writer("a", patience=PATIENCE)
    writer.until("acknowledged", 20)
    killed = trial.cluster.brokers[:2]
    for broker in killed:
        broker.kill()
    writer.until("told", 10)
    for broker in killed:
        broker.start()
    for broker in killed:
        broker.wait_until_ready()
    began = time.monotonic()
    print(f"went on after {writer.more('acknowledged', 5) - began:.1f} s")
    writer.finish()
    check_told(trial, writer)
    trial.check("a")


def check_told(trial: Trial, writer: Writer) -> None:
    """The callers were told in time, where, and what to do."""
    for line in writer.all("told"):
        _, _, seconds, message = line.split(" ", 3)
        assert float(seconds) < 2 * PATIENCE + LATE
        assert trial.address in message
        assert "ask again, with the same id" in message
    first = [float(line.split(" ")[2]) for line in writer.all("told")[:2]]
    assert min(first) < PATIENCE + LATE
    assert any("CIVIC_LOG" in line for line in writer.all("told"))


AT_ONCE = "and those who come next at once; all goes on by itself when the broker does"
SINGLE = [
    Failure(
        "the only broker, by kill −9",
        "commands come in, and it starts again within `CIVIC_PATIENCE`",
        "callers wait, and are answered",
        killed_and_started,
    ),
    Failure(
        "the only broker, by kill −9",
        "commands come in, and it stays away for longer",
        "callers are told within `CIVIC_PATIENCE` (those who waited behind others, within twice that), with the "
        "address and the setting; the process goes on by itself when the broker does",
        killed_for_longer,
    ),
    Failure(
        "the only broker, by kill −9",
        "right after it has answered a commit, whose mark it may forget",
        "what was answered is not lost, and readers see it soon, even if nothing more is written",
        killed_after_its_answer,
    ),
    Failure(
        "the only broker, by kill −9",
        "when it is about to be asked for a commit",
        f"callers are told within `CIVIC_PATIENCE` that nothing is known, {AT_ONCE}",
        partial(silent, Broker.kill, Broker.restart),
    ),
    Failure(
        "the only broker, by SIGSTOP, then SIGCONT",
        "when it is about to be asked for a commit",
        "the same",
        partial(silent, Broker.pause, Broker.resume),
    ),
]
OF_THREE = [
    Failure(
        "the leader of three brokers, by kill −9",
        "commands come in",
        "another broker leads in seconds; nobody is told anything",
        leader_killed,
    ),
    Failure(
        "two of three brokers, by kill −9",
        "commands come in",
        "nothing is written; callers are told so in the same time; all goes on by itself when the brokers are back",
        two_killed,
    ),
]
FAILURES = [*SINGLE, *OF_THREE]


@pytest.mark.slow
@pytest.mark.parametrize("failure", SINGLE, ids=name)
def test_failure_of_one(
    failure: Failure,
    single: Cluster,
    trial_on: Callable[[Cluster], Trial],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happens: Callable[..., None] = failure.trial
    happens(trial_on(single), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("failure", OF_THREE, ids=name)
def test_failure_of_three(
    failure: Failure, cluster: Cluster, trial_on: Callable[[Cluster], Trial]
) -> None:
    failure.trial(trial_on(cluster))
