"""Group work: one thread gathers what all callers hand in and does it together."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from ledger.eventlog.port import LogUnavailable

MAX_BATCH = 1_000
"""Items in one batch; more wait for the next, so that none waits long."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Sequencer(Generic[Item, Answer]):
    """Callers hand in items and get futures; while one batch is being worked on, the next one gathers.

    `work` answers a batch, item by item; an answer that is an exception is raised to the caller. Where it
    raises, all callers of the batch are told so.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Answer | Exception]], name: str
    ) -> None:
        self._work = work
        self._queue: queue.SimpleQueue[tuple[Item, Future[Answer]] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> "Future[Answer]":
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()  # a caller who goes away must not stop the thread
        with self._closing:
            if self._closed:
                raise LogUnavailable("the log is closed")
            self._queue.put((item, future))
        return future

    def close(self) -> None:
        """Work off what was handed in, then end."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            items, futures, open_ = self._gather()
            if items:
                self._answer(items, futures)

    def _gather(self) -> tuple[list[Item], "list[Future[Answer]]", bool]:
        items: list[Item] = []
        futures: list[Future[Answer]] = []
        waiting = self._queue.get()
        while waiting is not None:
            items.append(waiting[0])
            futures.append(waiting[1])
            if len(items) == MAX_BATCH:
                return items, futures, True
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return items, futures, True
        return items, futures, False

    def _answer(self, items: list[Item], futures: "list[Future[Answer]]") -> None:
        try:
            answers = self._work(items)
        except Exception as error:  # whatever it was, every caller must be told
            for future in futures:
                future.set_exception(error)
            return
        for future, answer in zip(futures, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
