"""Group work: one thread gathers what all callers hand in and does it together."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from ledger.eventlog.port import LogUnavailable

MAX_BATCH = 1_000
"""Items in one batch; more wait for the next, so that none waits long."""

PAUSE = 0.001
"""Seconds for which a batch waits for one item more, if more may be hoped for: callers who were answered together
come again together, and a batch costs the same commit for one as for many."""

PAUSES = 8
"""Such waits in one batch, at the most."""

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
        self._queue: queue.SimpleQueue[tuple[Item, _Waiting[Answer]] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._expected = 0
        """Items that the next batch may hope for: the callers just answered come again, others are waiting."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> "Future[Answer]":
        """Hand in an item from any thread."""
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()  # a caller who goes away must not stop the thread
        return self._hand_in(item, future)

    def submit_from_loop(self, item: Item) -> "asyncio.Future[Answer]":
        """Hand in an item from the running event loop, which is woken once for all its answers of a batch."""
        return self._hand_in(item, asyncio.get_running_loop().create_future())

    def close(self) -> None:
        """Work off what was handed in, then end."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _hand_in(self, item: Item, future: "W") -> "W":
        with self._closing:
            if self._closed:
                raise LogUnavailable("the log is closed")
            self._queue.put((item, future))
        return future

    def _run(self) -> None:
        open_ = True
        while open_:
            items, waiting, open_ = self._gather()
            if items:
                answers = self._answers(items)
                self._expected = len(items) + self._queue.qsize()
                _tell(waiting, answers)

    def _gather(self) -> tuple[list[Item], "list[_Waiting[Answer]]", bool]:
        """The items that are waiting, at least one, and whether more may come."""
        items: list[Item] = []
        waiting: list[_Waiting[Answer]] = []
        handed_in = self._queue.get()
        pauses = PAUSES if self._expected > 1 else 0
        while handed_in is not None:
            items.append(handed_in[0])
            waiting.append(handed_in[1])
            if len(items) == MAX_BATCH:
                break
            if pauses and len(items) < self._expected and self._queue.empty():
                pauses -= 1
                time.sleep(PAUSE)
            try:
                handed_in = self._queue.get_nowait()
            except queue.Empty:
                break
        return items, waiting, handed_in is not None

    def _answers(self, items: list[Item]) -> Sequence[Answer | Exception]:
        try:
            return self._work(items)
        except Exception as error:  # whatever it was, every caller must be told
            return [error] * len(items)


_Waiting = Future[Answer] | asyncio.Future[Answer]
W = TypeVar("W", Future, asyncio.Future)  # type: ignore[type-arg]
_Told = tuple[asyncio.Future[Answer], Answer | Exception]


def _tell(waiting: "list[_Waiting[Answer]]", answers: Sequence[Answer | Exception]) -> None:
    in_loops: dict[asyncio.AbstractEventLoop, list[_Told[Answer]]] = {}
    for future, answer in zip(waiting, answers, strict=True):
        if isinstance(future, asyncio.Future):
            in_loops.setdefault(future.get_loop(), []).append((future, answer))
        else:
            _settle(future, answer)
    for loop, told in in_loops.items():
        with suppress(RuntimeError):  # the loop is over, and its callers with it
            loop.call_soon_threadsafe(_settle_all, told)


def _settle_all(told: "list[_Told[Answer]]") -> None:
    for future, answer in told:
        if not future.done():  # its caller may have gone away
            _settle(future, answer)


def _settle(future: "_Waiting[Answer]", answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
