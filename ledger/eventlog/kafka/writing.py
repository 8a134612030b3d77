"""Writing to the topic: batch after batch, each in one transaction, by one producer that fences those before it."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.kafka.records import headers
from ledger.eventlog.port import LogUnavailable, NewEvent

INTERRUPTED = (
    "{address}: the next record should have come to offset {expected}, but came to {found}: somebody else has written "
    "to the topic. Only the sequencer may: see its access rules."
)


class Epoch:
    """One producer, from its taking over until something goes wrong: then there is a new one.

    `transactional_id` fences: from its start on, no earlier producer with the same one gets anything in.
    """

    def __init__(self, clients: Clients, transactional_id: str) -> None:
        self._clients = clients
        self._producer = clients.producer(transactional_id)
        self._watch = _Watch(self._producer.close, clients.patience)

    def write(self, new: Sequence[tuple[int, NewEvent]], at: int) -> int:
        """Write records with their positions, the first of them at the offset `at`. The offset of the next one.

        Raises `Superseded`: none is in the log. `LogUnavailable`: nothing is known, and the epoch is over.
        """
        topic, patience = self._clients.address.topic, self._clients.patience
        with reported(self._clients.address), self._watch:
            self._producer.begin_transaction()
            sent = [
                self._producer.send(
                    topic, event.entry, headers=headers(position, event), partition=0
                )
                for position, event in new
            ]
            self._producer.flush(patience)
            first, last = (one.get(patience).offset for one in (sent[0], sent[-1]))
            if (first, last) != (at, at + len(new) - 1):
                self._producer.abort_transaction()
                raise LogUnavailable(
                    INTERRUPTED.format(address=self._clients.address, expected=at, found=first)
                )
            self._producer.commit_transaction()
        return at + len(new) + 1  # the marker of the transaction takes one, too

    def close(self) -> None:
        self._watch.end()
        with suppress(Exception):  # it may be in any state
            self._producer.close(timeout=0)


class _Watch:
    """Ends what takes too long: a commit waits for its answer without limit."""

    def __init__(self, end: object, patience: float) -> None:
        self._close = end
        self._patience = patience
        self._until = float("inf")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka watch", daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        self._until = time.monotonic() + self._patience

    def __exit__(self, *_: object) -> None:
        self._until = float("inf")

    def end(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(0.5):
            if time.monotonic() > self._until:
                self._until = float("inf")
                with suppress(Exception):
                    self._close(timeout=0)  # type: ignore[operator]
