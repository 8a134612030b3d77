"""The peer: eventsourcing's own PostgreSQL recorder, on a PostgreSQL server of its own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem, DCBRecorder
from eventsourcing.dcb.postgres_tt import PostgresTTDCBFactory

from tests.postgres import Server, started

ENTRY_BYTES = 450
"""About the size of the entry of a choice among five of eighty options."""


@contextmanager
def postgres_recorder() -> Iterator[DCBRecorder]:
    """A recorder on a fresh server with its default settings (`fsync` on), stopped afterwards."""
    with started() as server:
        factory = PostgresTTDCBFactory(environment(server))
        yield factory.dcb_recorder()
        factory.close()


def environment(server: Server) -> dict[str, str]:
    """What eventsourcing wants to be told of a server."""
    return {
        "POSTGRES_DBNAME": "postgres",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "not needed here",
    }


def read_and_append(recorder: DCBRecorder, size: int = ENTRY_BYTES) -> Callable[[], int]:
    """A step: read the events of one voter (there are none), append one on condition that this stays so."""

    def step() -> int:
        voter = f"voter:{uuid.uuid4().hex}"
        query = DCBQuery([DCBQueryItem(types=["civic.choice.made.v1"], tags=[voter])])
        response = recorder.read(query)
        assert not list(response)
        event = DCBEvent("civic.choice.made.v1", b"x" * size, [voter])
        recorder.append([event], DCBAppendCondition(query, after=response.head))
        return 1

    return step
