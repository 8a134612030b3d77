"""Work in several processes, its results in the order of the log."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
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


class _Claims:
    """Who does what: a piece of work is done by the process that claims it first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def claim(self, work: str) -> bool:
        """Whether this process is the first; then it must do it."""
        try:
            (self._folder / f"{work}.claim").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


class _Asked:
    """What another process was asked to do; this one does it itself where that has not begun with it."""

    def __init__(
        self, claims: _Claims, name: str, work: Callable[[], Any], future: Future[Any]
    ) -> None:
        self._claims = claims
        self._name = name
        self._work = work
        self._future = future
        self._here: list[Any] = []
        """The result, once this process has found it."""

    @property
    def is_there(self) -> bool:
        return bool(self._here) or self._future.done()

    def do_here(self) -> bool:
        """Do it in this process, unless it is done, or being done, already."""
        if self.is_there or not self._claims.claim(self._name):
            return False
        self._here.append(self._work())
        return True

    def get(self) -> Any:
        self.do_here()
        return self._here[0] if self._here else self._future.result()


class SeveralProcesses:
    """This process and others, each of which opens the source for itself.

    While what the rules need next is not there, this one examines what the others have not come to yet.
    """

    def __init__(
        self, source: Source, pool: ProcessPoolExecutor, number: int, folder: Path
    ) -> None:
        self._source = source
        self._pool = pool
        self._claims = _Claims(folder)
        self._asked = 0
        self.number = number

    def examined(self, bundles: Iterator[Bundle]) -> Iterator[Examined]:
        waiting: deque[_Asked] = deque()
        for some in _handfuls(bundles):
            waiting.append(self._ask(_examined_there, partial(self._examined_here, some), some))
            if len(waiting) > _AHEAD * self.number:
                yield from self._next(waiting)
        while waiting:
            yield from self._next(waiting)

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        return self._ask(work, partial(work, given), given)

    def _ask(self, there: Callable[[Any], Any], here: Callable[[], Any], given: Any) -> _Asked:
        self._asked += 1
        name = str(self._asked)
        return _Asked(self._claims, name, here, self._pool.submit(_do, name, there, given))

    def _examined_here(self, bundles: Sequence[Bundle]) -> list[Examined]:
        return list(examine_all(self._source, bundles))

    def _next(self, waiting: deque[_Asked]) -> Iterator[Examined]:
        while not waiting[0].is_there:
            if not any(one.do_here() for one in waiting):
                break  # others are at work on all there is
        found = waiting.popleft().get()
        if isinstance(found, list):
            return iter(found)
        data = found.read_bytes()
        found.unlink()
        return unpacked(data)


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
            yield SeveralProcesses(source, pool, number, Path(folder))
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


def _do(name: str, work: Callable[[Any], Any], given: Any) -> Any:
    assert _given is not None
    return work(given) if _Claims(_given[1]).claim(name) else None


def _examined_there(bundles: Sequence[Bundle]) -> Path:
    assert _given is not None
    source, folder = _given
    file = folder / f"{bundles[0].index}.bundles"
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
