"""Work in several processes, its results in the order of the log."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from ledger.transparency.tiles import Bundle
from services.audit.bundles import Examined, examine_all, packed, unpacked
from services.audit.source import CannotRead, Source, open_source

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


class _Awaited:
    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def get(self) -> Any:
        return self._future.result()


class SeveralProcesses:
    """Processes of our own, each of which opens the source for itself."""

    def __init__(self, pool: ProcessPoolExecutor, number: int) -> None:
        self._pool = pool
        self.number = number

    def examined(self, bundles: Iterator[Bundle]) -> Iterator[Examined]:
        waiting: deque[Future[list[bytes]]] = deque()
        for some in _handfuls(bundles):
            waiting.append(self._pool.submit(_examine, some))
            if len(waiting) > _AHEAD * self.number:
                yield from unpacked(waiting.popleft().result())
        while waiting:
            yield from unpacked(waiting.popleft().result())

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        return _Awaited(self._pool.submit(work, given))


@contextmanager
def workers(source: Source, number: int) -> Iterator[Workers]:
    """As many processes as asked for; they start here, where there are no threads yet, since they are forked.

    Raises `CannotRead` where one of them is ended by others, for want of memory, say.
    """
    if number == 1:
        yield OneProcess(source)
        return
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    pool = ProcessPoolExecutor(number, context, _open, (source.name,))
    try:
        pool.submit(_is_open).result()
        yield SeveralProcesses(pool, number)
    except BrokenProcessPool as error:
        raise CannotRead(f"a process of the audit was ended: {error}") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_source: Source | None = None


def _open(place: str) -> None:
    global _source
    _source = open_source(place)


def _is_open() -> bool:
    return _source is not None


def _examine(bundles: Sequence[Bundle]) -> list[bytes]:
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
