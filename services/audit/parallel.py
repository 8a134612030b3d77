"""Work in several processes, its results in the order of the log."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from ledger.transparency.tiles import Bundle
from services.audit.bundles import Examined, examine_all
from services.audit.packing import packed, unpacked
from services.audit.source import CannotRead, Source, open_source

TOGETHER = 32
"""Bundles that are handed over in one go: some eight thousand events."""

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


class _Asked:
    """What another process was asked to do; this one does it itself where that has not begun with it."""

    def __init__(self, work: Callable[[Any], Any], given: Any, future: Future[Any]) -> None:
        self._work = work
        self._given = given
        self._future = future

    def get(self) -> Any:
        if self._future.cancel():
            self._future = Future()
            self._future.set_result(self._work(self._given))
        return self._future.result()


class _HandFul:
    """Some bundles that another process was asked to examine."""

    def __init__(self, bundles: Sequence[Bundle], file: Future[Path]) -> None:
        self._bundles = bundles
        self._file = file
        self._found: list[Examined] | None = None

    @property
    def is_there(self) -> bool:
        return self._found is not None or self._file.done()

    def examine_here(self, source: Source) -> bool:
        """Take them back, unless they are being examined already."""
        if self._found is not None or not self._file.cancel():
            return False
        self._found = list(examine_all(source, self._bundles))
        return True

    def take(self) -> Iterator[Examined]:
        if self._found is not None:
            return iter(self._found)
        file = self._file.result()
        data = file.read_bytes()
        file.unlink()
        return unpacked(data)


class SeveralProcesses:
    """This process and others, each of which opens the source for itself.

    While what the rules need next is not there, this one examines what the others have not come to yet.
    """

    def __init__(self, source: Source, pool: ProcessPoolExecutor, number: int) -> None:
        self._source = source
        self._pool = pool
        self.number = number

    def examined(self, bundles: Iterator[Bundle]) -> Iterator[Examined]:
        waiting: deque[_HandFul] = deque()
        for some in _handfuls(bundles):
            waiting.append(_HandFul(some, self._pool.submit(_examine, some)))
            if len(waiting) > _AHEAD * self.number:
                yield from self._next(waiting)
        while waiting:
            yield from self._next(waiting)

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        return _Asked(work, given, self._pool.submit(work, given))

    def _next(self, waiting: deque[_HandFul]) -> Iterator[Examined]:
        while not waiting[0].is_there:
            if not any(one.examine_here(self._source) for one in reversed(waiting)):
                break  # others are at work on all there is
        return waiting.popleft().take()


@contextmanager
def workers(source: Source, number: int) -> Iterator[Workers]:
    """As many processes as asked for, this one among them.

    The others start here: they are forked, so there must be no threads yet, and what takes long to import is there.
    Raises `CannotRead` where one of them is ended by others, for want of memory, say.
    """
    if number == 1:
        yield OneProcess(source)
        return
    import_module("ledger.domain.counting.rules")
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    with TemporaryDirectory(prefix="civic-audit-") as folder:
        pool = ProcessPoolExecutor(number - 1, context, _open, (source.name, folder))
        try:
            pool.submit(_is_open).result()
            yield SeveralProcesses(source, pool, number)
        except BrokenProcessPool as error:
            raise CannotRead(f"a process of the audit was ended: {error}") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_given: tuple[Source, Path] | None = None
"""In a process that works for another one: what it reads, and the folder in which it leaves what it has found.

Through a pipe the results would come in pieces, and wait before each for the interpreter of who takes them.
"""


def _open(place: str, folder: str) -> None:
    global _given
    _given = open_source(place), Path(folder)


def _is_open() -> bool:
    return _given is not None


def _examine(bundles: Sequence[Bundle]) -> Path:
    assert _given is not None
    source, folder = _given
    file = folder / str(bundles[0].index)
    file.write_bytes(packed(examine_all(source, bundles)))
    return file


def _handfuls(bundles: Iterator[Bundle]) -> Iterator[list[Bundle]]:
    some: list[Bundle] = []
    for bundle in bundles:
        some.append(bundle)
        if len(some) == TOGETHER:
            yield some
            some = []
    if some:
        yield some
