"""The sequencer dies, or stands still while another one takes over."""

import signal
import time
from functools import partial

import pytest

from tests.failure.kafka.table import Failure, name
from tests.failure.kafka.trial import Trial, Writer

TAKEOVER = 10.0
"""Seconds in which a standby must lead."""


def killed(at: str, trial: Trial) -> None:
    active, standby = active_and_standby(trial, f"SIGKILL@{at}")
    active.tell("fail")
    died = active.until("sends SIGKILL")
    assert active.ended() == -signal.SIGKILL
    took = standby.until("leads") - died
    assert took < TAKEOVER
    print(f"took over in {took:.1f} s")
    unanswered = active.unanswered()
    assert unanswered
    standby.until("acknowledged", 10)
    trial.ask_again(active, at=standby)
    standby.finish()
    assert not standby.all("told")
    trial.check("b")
    written_before = unanswered & written_before_the_first_of("b", trial)
    assert bool(written_before) == (at == "before_answering")


def stopped(at: str, trial: Trial) -> None:
    zombie, standby = active_and_standby(trial, f"SIGSTOP@{at}")
    zombie.tell("fail")
    zombie.until("sends SIGSTOP")
    standby.until("leads")
    standby.until("acknowledged", 10)
    asked, answered = zombie.unanswered(), zombie.acknowledged()
    assert asked
    zombie.signal(signal.SIGCONT)
    zombie.until("told", len(asked))
    assert zombie.all("goes on") == ["goes on False"], "it does not think that it is elected"
    standby.more("acknowledged", 50)
    assert zombie.acknowledged() == answered
    assert any("not known: ask again, with the same id" in one for one in zombie.all("told"))
    assert not asked & written_before_the_first_of("b", trial)
    trial.ask_again(zombie, at=standby)
    standby.finish()
    assert not standby.all("told"), "the zombie did not even disturb"
    zombie.kill()
    trial.check("a", "b")


def stopped_between_batches(trial: Trial) -> None:
    zombie, standby = active_and_standby(trial)
    zombie.tell("rest")
    zombie.until_answered()
    zombie.signal(signal.SIGSTOP)
    standby.until("leads")
    standby.until("acknowledged", 10)
    zombie.signal(signal.SIGCONT)
    zombie.tell("ask a-0-1000")
    zombie.until("told a-0-1000")
    standby.more("acknowledged", 50)
    assert not zombie.all("acknowledged a-0-1000")
    standby.finish()
    assert not standby.all("told")
    zombie.until("acknowledged a-0-1000")
    zombie.finish()
    trial.check("a", "b")


FAILURES = [
    *(
        Failure(
            "the sequencer, by kill −9",
            when,
            f"a standby leads within {TAKEOVER:.0f} s, and answers what was not answered; {then}",
            partial(killed, at),
        )
        for at, when, then in (
            ("before_sending", "before it sends a batch", "nothing of the batch was written"),
            (
                "before_committing",
                "after it has sent a batch, before the commit",
                "nothing of the batch is seen by any reader",
            ),
            (
                "before_answering",
                "after the commit, before the answers",
                "the batch is in the log, and is not written again",
            ),
        )
    ),
    *(
        Failure("the sequencer, by SIGSTOP until another one leads, then SIGCONT", *row)
        for row in (
            (
                "before it sends a batch",
                "nothing of it gets in; its callers are told that nothing is known, and to ask again with the same "
                "id; the new sequencer is not disturbed",
                partial(stopped, "before_sending"),
            ),
            (
                "after it has sent a batch, with the commit on its way",
                "the same",
                partial(stopped, "when_committing"),
            ),
            (
                "between two batches",
                "its callers are told that another process writes; it writes again when that one ends",
                stopped_between_batches,
            ),
        )
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES, ids=name)
def test_failure(failure: Failure, trial: Trial) -> None:
    failure.trial(trial)


def active_and_standby(trial: Trial, fault: str = "") -> tuple[Writer, Writer]:
    """A writer that leads, and one that is a candidate."""
    active = trial.writer("a", fault=fault)
    active.until("leads")
    standby = trial.writer("b")
    standby.until("open")
    time.sleep(1)
    active.more("acknowledged", 5)
    return active, standby


def written_before_the_first_of(name: str, trial: Trial) -> set[str]:
    """The ids of what stands in the log before anything that this process was asked."""
    ids = [told["id"].decode().partition("/")[0] for _, told, _ in trial.records()]
    return set(ids[: next(n for n, id_ in enumerate(ids) if id_.startswith(f"{name}-"))])
