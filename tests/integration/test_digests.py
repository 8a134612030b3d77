"""A digest is that of the events and of nothing else: not of the log, the store, the batches, or a generation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, EventLog, NewEvent, Record
from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.digest import Digest, digest
from projections.replay import as_it_stood, rebuilt
from projections.stores.port import Store
from projections.stores.postgres import PostgresStore
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.postgres import Server

EVENTS = 1_200
"""Of the town's log: one transaction an event is part of these tests."""


@pytest.fixture(scope="module")
def records(town_log: Path) -> list[Record]:
    log = SQLiteLog(town_log)
    found = log.select(EVERYTHING, limit=EVENTS)
    log.close()
    return found


@pytest.fixture(scope="module")
def log(records: list[Record]) -> EventLog:
    return copied(records, MemoryLog())


@pytest.fixture(scope="module")
def expected(log: EventLog) -> list[Digest]:
    return digests(folded(log, SQLiteStore(None)))


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "SQLite":
        store: Store = SQLiteStore(tmp_path / "store.sqlite")
    else:
        server: Server = request.getfixturevalue("postgres_server")
        store = PostgresStore(server.new_schema())
    yield store
    store.close()


def copied(records: list[Record], log: EventLog) -> EventLog:
    log.append_batch([Append((NewEvent(one.type, one.entry, one.tags),)) for one in records])
    return log


def folded(log: EventLog, store: Store, batch: int = 10_000) -> Store:
    Worker(log, store, all_projections(), batch).catch_up()
    return store


def digests(store: Store, *, with_personal: bool = True) -> list[Digest]:
    return [digest(store, one, with_personal=with_personal) for one in all_projections()]


@pytest.mark.parametrize("batch", [1, 10_000])
def test_of_any_store_in_batches_of_any_size(
    log: EventLog, store: Store, expected: list[Digest], batch: int
) -> None:
    assert digests(folded(log, store, batch)) == expected


def test_of_live_and_rebuilt(log: EventLog, store: Store, expected: list[Digest]) -> None:
    folded(log, store)
    for one in all_projections():
        assert rebuilt(log, store, one, batch=100).number == 2
    assert digests(store) == expected


def test_of_any_position(log: EventLog, records: list[Record], store: Store) -> None:
    """As it stood is as a log that ends there says."""
    position = EVENTS * 2 // 3
    folded(copied(records[:position], MemoryLog()), store)
    with as_it_stood(log, all_projections(), position) as scratch:
        assert digests(scratch) == digests(store)
    assert digests(store)[0].position == position


def test_of_a_log_on_kafka(
    records: list[Record], expected: list[Digest], kafka: Cluster, topic: str, tmp_path: Path
) -> None:
    log = KafkaLog(
        Address.parsed(f"kafka://{kafka.bootstrap}/{topic}"), tmp_path / "replica.sqlite"
    )
    assert log.claim(30)
    assert digests(folded(copied(records, log), SQLiteStore(None))) == expected
    log.close()


def test_before_and_after_an_erasure(log: EventLog, store: Store, expected: list[Digest]) -> None:
    """An erasure takes all that a person has in personal tables, and adds an event."""
    folded(log, store)
    before = digests(store, with_personal=False)
    for projection in all_projections():
        generation = store.prepare(projection)
        rows = store.batch(generation)
        gone = 0
        for table in projection.tables:
            if table.personal:
                with store.snapshot() as at:
                    keys = at.rows(f"SELECT {', '.join(table.key)} FROM {table.name}")
                gone += len(keys)
                for key in keys:
                    rows.delete(table, key)
        assert gone or projection.name != "citizen"
        after, to = generation.position, generation.position + 1
        assert store.advance(generation, rows, after=after, to=to)
    assert [one.digest for one in digests(store, with_personal=False)] == [
        one.digest for one in before
    ]
    assert digests(store)[0].digest != expected[0].digest
