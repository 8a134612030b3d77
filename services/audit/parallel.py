"""Work in several processes, its results in the order of the log."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import Pool
from typing import Any, Protocol, TypeVar

from ledger.transparency.tiles import Bundle
from services.audit.bundles import Examined, examine_all, packed, unpacked
from services.audit.source import Source, open_source

TOGETHER = 16
"""Bundles that are handed over in one go: some four thousand events."""

_AHEAD = 3
"""Such hands-full that wait for each process, so that memory stays bounded where the rules are slower."""

Given = TypeVar("Given")
Done = TypeVar("Done")
Done_co = TypeVar("Done_co", covariant=True)


class Later(Protocol[Done_co]):
    """A result that may still be on its way."""

    def get(self) -> Done_co: ...


class Workers(Protocol):
    """Who does the work that does not depend on what came before."""

    def examined(self, bundles: Iterator[Bundle]) -> Iterator[Examined]:
        """The bundles, examined, in their order."""
        ...

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        """A pure function of a module, carried out when there is time."""
        ...

    @property
    def number(self) -> int:
        """How many processes there are to do it."""
        ...


class _Now:
    def __init__(self, result: Any) -> None:
        self._result = result

    def get(self) -> Any:
        return self._result


class OneProcess:
    """All in this process."""

    number = 1

    def __init__(self, source: Source) -> None:
        self._source = source

    def examined(self, bundles: Iterator[Bundle]) -> Iterator[Examined]:
        for some in _handfuls(bundles):
            yield from examine_all(self._source, some)

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        return _Now(work(given))


class SeveralProcesses:
    """Processes of our own, each of which opens the source for itself."""

    def __init__(self, pool: Pool, number: int) -> None:
        self._pool = pool
        self.number = number

    def examined(self, bundles: Iterator[Bundle]) -> Iterator[Examined]:
        waiting: deque[Later[bytes]] = deque()
        for some in _handfuls(bundles):
            waiting.append(self._pool.apply_async(_examine, (some,)))
            if len(waiting) > _AHEAD * self.number:
                yield from unpacked(waiting.popleft().get())
        while waiting:
            yield from unpacked(waiting.popleft().get())

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        return self._pool.apply_async(work, (given,))


@contextmanager
def workers(source: Source, number: int) -> Iterator[Workers]:
    """As many processes as asked for. Call it before any thread is started: it forks where it can."""
    if number == 1:
        yield OneProcess(source)
        return
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    pool = multiprocessing.get_context(method).Pool(number, _open, (source.name,))
    try:
        yield SeveralProcesses(pool, number)
    finally:
        pool.terminate()
        pool.join()


_source: Source | None = None


def _open(place: str) -> None:
    global _source
    _source = open_source(place)


def _examine(bundles: Sequence[Bundle]) -> bytes:
    assert _source is not None
    return packed(examine_all(_source, bundles))


def _handfuls(bundles: Iterator[Bundle]) -> Iterator[list[Bundle]]:
    some: list[Bundle] = []
    for bundle in bundles:
        some.append(bundle)
        if len(some) == TOGETHER:
            yield some
            some = []
    if some:
        yield some
