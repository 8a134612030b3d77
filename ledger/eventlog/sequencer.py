"""Group commit: one thread gathers the appends of all callers and stores them together."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ledger.eventlog.port import Append, Appended, Conflict, LogUnavailable

MAX_BATCH = 1_000
"""Appends in one commit; more wait for the next, so that none waits long."""

_Waiting = tuple[Append, "Future[Appended]"]


class Sequencer:
    """Callers hand in appends and get futures; while one batch is being stored, the next one gathers."""

    def __init__(
        self, store: Callable[[Sequence[Append]], list[Appended | Conflict]], name: str
    ) -> None:
        self._store = store
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"sequencer {name}", daemon=True)
        self._thread.start()

    def submit(self, append: Append) -> "Future[Appended]":
        future: Future[Appended] = Future()
        with self._closing:
            if self._closed:
                raise LogUnavailable("the log is closed")
            self._queue.put((append, future))
        return future

    def close(self) -> None:
        """Store what was handed in, then end."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._gather()
            if batch:
                self._answer(batch)

    def _gather(self) -> tuple[list[_Waiting], bool]:
        waiting = self._queue.get()
        batch: list[_Waiting] = []
        while waiting is not None:
            batch.append(waiting)
            if len(batch) == MAX_BATCH:
                return batch, True
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            outcomes = self._store([append for append, _ in batch])
        except Exception as error:  # whatever it was, every caller must be told
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Conflict):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
