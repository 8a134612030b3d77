"""The whole system on Kafka: what runs on a log in SQLite runs there unchanged."""

import shutil
import sqlite3
import time
from pathlib import Path

import orjson
import pytest

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.feed import TopicFeed
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import EVERYTHING, Append, NewEvent
from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.digest import digest
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.integration.importing import DATA, Ledger, needs_data

FORMS = DATA / "pabulib-forms"
BALLOTS = {
    "Netherlands_Amsterdam_643": 66,
    "Netherlands_Assen_2024": 84,
    "Poland_Czestochowa_2020_Bleszno": 462,
    "Poland_Gdynia_2022_Kamienna_Gora__large": 78,
    "Poland_Krakow_2018_Bienczyce": 878,
    "Poland_Poznan_2025_9_-_Stare_Miasto__small": 552,
    "Poland_Warszawa_2024_Wesola": 1_009,
}


@pytest.fixture(scope="module")
def imported(kafka: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Each form of ballot, and a conversation, brought into a log on Kafka by the program."""
    address = f"kafka://{kafka.bootstrap}/{kafka.create_topic()}"
    ledger = Ledger(tmp_path_factory.mktemp("imported"), address)
    ran = ledger.run("import", "pabulib", *sorted(FORMS.glob("*.pb")), "--check", "--json")
    assert (ran.exit_code, ran.errors) == (0, "")
    assert {Path(one["file"]).stem: one["voters"] for one in ran.files} == BALLOTS
    assert all(one["checked"] and not one["differences"] for one in ran.files)
    ran = ledger.run("import", "polis", DATA / "polis" / "brexit-consensus", "--check", "--json")
    assert (ran.exit_code, ran.errors) == (0, "")
    assert [(one["votes"], one["differences"]) for one in ran.files] == [(5_304, [])]
    return ledger


@needs_data
def test_ballots_brought_in_again_add_nothing(imported: Ledger) -> None:
    head = imported.head()
    ran = imported.run("import", "pabulib", *sorted(FORMS.glob("*.pb")))
    assert (ran.exit_code, imported.head()) == (0, head)


@needs_data
def test_the_replica_and_the_read_models_can_be_made_again(
    imported: Ledger, tmp_path: Path
) -> None:
    before = imported.answer("digest")
    shutil.copy(imported.folder / "vault.sqlite", tmp_path)
    shutil.copy(imported.folder / "vault.sqlite.key", tmp_path)
    anew = Ledger(tmp_path, imported.kafka)
    assert anew.answer("digest") == before
    assert anew.entries() == imported.entries()


@needs_data
def test_logs_in_sqlite_and_on_kafka_with_the_same_events_have_the_same_digests(
    imported: Ledger, tmp_path: Path
) -> None:
    with sqlite3.connect(imported.folder / "log.sqlite") as replica:
        rows = replica.execute("SELECT type, entry, tags, id FROM records ORDER BY position")
        events = [
            NewEvent(type_, entry, tuple(orjson.loads(tags)), id_)
            for type_, entry, tags, id_ in rows
        ]
    copied = SQLiteLog(tmp_path / "log.sqlite")
    copied.append_batch([Append((event,)) for event in events])
    copied.close()
    shutil.copy(imported.folder / "vault.sqlite", tmp_path)
    shutil.copy(imported.folder / "vault.sqlite.key", tmp_path)
    assert Ledger(tmp_path).answer("digest") == imported.answer("digest")


@needs_data
def test_a_worker_on_the_topic_alone_makes_the_same_models(
    imported: Ledger, tmp_path: Path
) -> None:
    assert imported.kafka is not None
    feed = TopicFeed(Address.parsed(imported.kafka), "models", patience=10)
    through_feed, through_log = (SQLiteStore(tmp_path / name) for name in ("a.sqlite", "b.sqlite"))
    worker = Worker(feed, through_feed, all_projections(), batch=500)
    until = time.monotonic() + 60
    while min(worker.positions.values()) < imported.head() and time.monotonic() < until:
        worker.step()
    log = KafkaLog(Address.parsed(imported.kafka), imported.folder / "log.sqlite")
    Worker(log, through_log, all_projections()).catch_up()
    for projection in all_projections():
        assert digest(through_feed, projection) == digest(through_log, projection)
    for one in (feed, log, through_feed, through_log):
        one.close()


def choices(log: KafkaLog, *names: str) -> None:
    log.append_batch(
        [Append((NewEvent("thing", name.encode(), ("x",), f"{name}/1"),)) for name in names]
    )


def read(feed: TopicFeed, after: int, limit: int = 100) -> list[tuple[int, str]]:
    assert feed.wait(after, 10)
    return [
        (one.position, one.entry.decode())
        for one in feed.select(EVERYTHING, after=after, limit=limit)
    ]


@pytest.fixture
def address(kafka: Cluster, topic: str) -> Address:
    return Address.parsed(f"kafka://{kafka.bootstrap}/{topic}")


def test_a_feed_reads_the_topic_from_any_position(address: Address, tmp_path: Path) -> None:
    log = KafkaLog(address, tmp_path / "replica.sqlite")
    for name in "abcdefgh":
        choices(log, name)  # a transaction each: their markers take offsets, too
    feed = TopicFeed(address, "readers", patience=10)
    assert feed.head() == 8
    assert read(feed, 0, 2) == [(1, "a"), (2, "b")]
    assert read(feed, 2, 1) == [(3, "c")]
    assert read(feed, 6) == [(7, "g"), (8, "h")]
    assert read(feed, 1, 3) == [(2, "b"), (3, "c"), (4, "d")]
    assert not feed.wait(8, 0.2)
    choices(log, "i")
    assert read(feed, 8) == [(9, "i")]
    feed.close()
    log.close()


def test_of_two_feeds_of_a_group_one_reads_and_the_other_takes_over(
    address: Address, tmp_path: Path
) -> None:
    log = KafkaLog(address, tmp_path / "replica.sqlite")
    choices(log, "a", "b", "c")
    first = TopicFeed(address, "readers", patience=10)
    assert read(first, 0) == [(1, "a"), (2, "b"), (3, "c")]
    second = TopicFeed(address, "readers", patience=10)
    assert second.select(EVERYTHING, after=0, limit=10) == []
    first.close()
    assert read(second, 1) == [(2, "b"), (3, "c")]
    second.close()
    log.close()
