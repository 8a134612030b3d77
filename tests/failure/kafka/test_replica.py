"""The replica is a copy: whatever becomes of it, it is made again, and nobody mistakes it for the log."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka.replica import Replica
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import Append, DamagedLog, NewEvent
from ledger.eventlog.sqlite import SQLiteLog
from ledger.vault.vault import Vault
from tests.failure.kafka.table import Failure, name
from tests.failure.kafka.trial import SOON, Trial
from tests.unit.ledgers import MASTER_KEY

PAGE = 4096


@contextmanager
def sql(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection
        connection.commit()


def delete(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def put_ahead(path: Path) -> None:
    """As where the topic was restored from an older copy."""
    with sql(path) as replica:
        replica.execute(
            "INSERT INTO records (position, id, type, entry, tags) SELECT position + 1000, id || '?', type, "
            "entry, tags FROM records"
        )
        replica.execute("UPDATE progress SET next_offset = next_offset + 1000")


def put_behind(path: Path) -> None:
    """As where the replica was restored from an older copy."""
    delete(path)
    path.write_bytes(path.with_suffix(".older").read_bytes())


def overwrite(start: int, path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * PAGE)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 5 * PAGE // 2])


def replace_by_a_text(path: Path) -> None:
    delete(path)
    path.write_text("a log, they said\n" * 500)


def replace_by_a_log(path: Path) -> None:
    """One that was not a copy, but the original."""
    delete(path)
    SQLiteLog(path).close()


def replace_by_a_vault(path: Path) -> None:
    delete(path)
    Vault(path, MASTER_KEY).close()


def happens(what: Callable[[Path], None], trial: Trial) -> None:
    replica = trial.replica("a")
    with trial.log("a") as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
    replica.with_suffix(".older").write_bytes(replica.read_bytes())
    with trial.log("a") as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-2", "a-0-3", "a-0-4")
    what(replica)
    with trial.log("a") as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-4", "a-0-5", "a-0-6", "a-0-7")
    trial.check("a")


def refused(what: Callable[[Path], None], trial: Trial) -> None:
    replica = trial.replica("a")
    with trial.log("a") as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
    what(replica)
    before = replica.read_bytes()
    with pytest.raises(DamagedLog, match=r"is no replica, .* name another file in CIVIC_REPLICA"):
        trial.log("a").__enter__()
    assert replica.read_bytes() == before
    trial.check()


def of_another_topic(trial: Trial) -> None:
    other = Address.parsed(f"kafka://{trial.cluster.bootstrap}/{trial.cluster.create_topic()}")
    with closing(KafkaLog(other, trial.replica("a"))) as log:
        things = [NewEvent("thing", b"x", (), f"{n}/1") for n in range(3)]  # fewer than here
        log.append_batch([Append((one,)) for one in things])
    with trial.log("a") as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
    trial.check("a")


def not_to_be_written(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    take, failures = Replica.take, [sqlite3.OperationalError("disk I/O error")] * 3

    def take_in_the_end(replica: Replica, *copied: Any) -> None:
        with replica.transaction():
            if replica.path == trial.replica("b") and failures:
                raise failures.pop()
        take(replica, *copied)

    with trial.log("a") as log, closing(trial.ledger(log)) as ledger, trial.log("b") as reader:
        monkeypatch.setattr(Replica, "take", take_in_the_end)
        with trial.producer() as producer:
            trial.intrude(producer)
        trial.ask(ledger, "a-0-0", "a-0-1")
        assert reader.wait(log.head() - 1, SOON)
        assert not failures
        assert reader.intruders == 1
    trial.check("a", "b")


def shared(trial: Trial) -> None:
    first = trial.writer("a:shared")
    first.until("leads")
    second = trial.writer("b:shared")
    second.until("open")
    first.more("acknowledged", 200)
    assert not second.all("leads")
    first.finish()
    second.until("leads")
    second.until("acknowledged", 20)
    second.finish()
    assert not first.all("told")
    assert not second.all("told")
    trial.check("shared")


def deleted_in_use(trial: Trial) -> None:
    with trial.log("a") as log, closing(trial.ledger(log)) as ledger:
        trial.ask(ledger, "a-0-0", "a-0-1")
        delete(trial.replica("a"))
        trial.ask(ledger, "a-0-2", "a-0-3")
        with trial.log("a") as reader:
            trial.ask(ledger, "a-0-4")
            assert reader.wait(log.head() - 1, 10)
    trial.check("a")


FAILURES = [
    Failure(
        "the replica",
        "it was deleted, and the process starts again",
        "it is made anew from the topic",
        partial(happens, delete),
    ),
    Failure(
        "the replica",
        "it is deleted while a process uses it",
        "that process goes on; the next one makes another",
        deleted_in_use,
    ),
    Failure(
        "the replica",
        "it holds more than the topic (which was restored from an older copy)",
        "that is said, with both offsets, and the replica is made anew",
        partial(happens, put_ahead),
    ),
    Failure(
        "the replica",
        "it holds less than the topic (it was restored from an older copy)",
        "it catches up",
        partial(happens, put_behind),
    ),
    Failure(
        "the replica",
        "it is damaged: its end is cut off",
        "it is made anew",
        partial(happens, truncate),
    ),
    Failure(
        "the replica",
        "it cannot be written for a moment",
        "it is tried again; nothing is left out, and nothing is counted twice",
        not_to_be_written,
    ),
    Failure(
        "the replica",
        "it is of another topic",
        "it is made anew; nothing of the other topic is seen",
        of_another_topic,
    ),
    *(
        Failure("the replica", when, "it is refused, and left as it is", partial(refused, what))
        for when, what in (
            ("it is damaged so that nobody can know it for one", partial(overwrite, 0)),
            ("the file is something else: a text", replace_by_a_text),
            ("the file is something else: a log in SQLite", replace_by_a_log),
            ("the file is something else: a vault", replace_by_a_vault),
        )
    ),
    Failure(
        "the replica",
        "two processes share it, and take turns to write",
        "neither disturbs the other",
        shared,
    ),
]


@pytest.mark.parametrize("failure", FAILURES, ids=name)
def test_failure(failure: Failure, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    brought_about: Callable[..., None] = failure.trial
    brought_about(trial, *([monkeypatch] if failure.trial is not_to_be_written else []))


def test_a_replica_that_is_ahead_is_reported(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    happens(put_ahead, trial)
    (said,) = (one.getMessage() for one in caplog.records if "is made anew" in one.getMessage())
    assert trial.address in said
    assert str(trial.replica("a")) in said
    assert "Records may be lost: compare with a public copy" in said
