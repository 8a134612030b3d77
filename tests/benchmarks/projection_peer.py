"""The peer of the worker: eventsourcing's own `ProjectionRunner`, with its PostgreSQL tracking recorder.

It reads the same log and makes the same area model with the same fold and the same SQL. What differs is the loop:
it takes one event at a time, and commits each with its tracking.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventsourcing.dcb.api import DCBEvent
from eventsourcing.dcb.application import DCBApplication
from eventsourcing.dcb.domain import Tagged
from eventsourcing.dcb.persistence import DCBMapper
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.rows import tuple_row

from ledger.codec import Entry, decode
from projections.area import AreaProjection
from projections.projection import Folded, Key, Rows, Table, Value
from projections.stores import statements
from projections.stores.postgres import PostgresStore, Writing, translated
from tests.benchmarks.postgres_peer import environment
from tests.postgres import Server

GENERATION = 1


class Entries(DCBMapper[Any]):
    """Our entries, as the library's decisions."""

    def to_dcb_event(self, event: Tagged[Any]) -> DCBEvent:
        raise NotImplementedError("nothing is appended")

    def to_domain_event(self, event: DCBEvent) -> Tagged[Any]:
        return Tagged(tags=event.tags, decision=decode(event.data))


class Choices(DCBApplication):
    """The application whose log is followed."""


class AreaView(PostgresTrackingRecorder):
    """The tables of the area model beside the library's tracking table."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        self._projection = AreaProjection()

    def fold(self, event: Folded, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            connection = cursor.connection

            def look(sql: str, *values: Value) -> list[Any]:
                with connection.cursor(row_factory=tuple_row) as rows:
                    return rows.execute(translated(sql), values).fetchall()

            def read(table: Table, key: Key) -> Key | None:
                found = look(statements.one(table, GENERATION), *key)
                return found[0] if found else None

            def read_all(table: Table, first: Value) -> Mapping[Key, Key]:
                width = len(table.key)
                found = look(statements.beginning(table, GENERATION), first)
                return {row[:width]: row[width:] for row in found}

            rows = Rows(read, read_all)
            self._projection.fold([event], rows)
            Writing(connection, GENERATION).write(rows)
            self._insert_tracking(cursor, tracking)


class Areas(Projection[AreaView]):
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        entry: Entry = domain_event.decision
        self.view.fold(
            Folded(
                tracking.notification_id,
                entry.type,
                entry.time,
                entry.subject,
                entry.event,
                tuple(domain_event.tags),
            ),
            tracking,
        )


def folded_by_runner(server: Server, log: Path, seconds: float) -> float:
    """Events a second that the peer folds from the beginning of the log. The server must be empty."""
    store = PostgresStore(server.url())  # makes the tables
    store.prepare(AreaProjection())
    store.close()
    env = {
        "PERSISTENCE_MODULE": "ledger.eventlog.sqlite",
        "SQLITE_DBNAME": str(log),
        "MAPPER_TOPIC": get_topic(Entries),
        "AREAS_PERSISTENCE_MODULE": "eventsourcing.postgres",
        **environment(server),
    }
    started = time.perf_counter()
    with ProjectionRunner(
        application_class=Choices, projection_class=Areas, view_class=AreaView, env=env
    ) as runner:
        runner.run_forever(timeout=seconds)
        reached = runner.view.max_tracking_id(Choices.name) or 0
        taken = time.perf_counter() - started
    return reached / taken
