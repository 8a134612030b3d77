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
"""Such hands-full for each process between what is given away and what the rules have come to."""

_ENOUGH = 3
"""Such hands-full with each other process: one in work, and others for when that is done."""

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

    def __init__(self, claims: _Claims, name: str, future: Future[Any]) -> None:
        self._claims = claims
        self._name = name
        self._future = future

    @property
    def is_there(self) -> bool:
        return self._future.done()

    def claim(self) -> bool:
        """Whether this process is to do it: then it must."""
        return not self.is_there and self._claims.claim(self._name)

    def result(self) -> Any:
        return self._future.result()


class _Result:
    """What comes of something asked for."""

    def __init__(self, asked: _Asked, work: Callable[[], Any]) -> None:
        self._asked = asked
        self._work = work
        self._here: list[Any] = []
        """The result, once this process has found it."""

    def get(self) -> Any:
        if not self._here and self._asked.claim():
            self._here.append(self._work())
        return self._here[0] if self._here else self._asked.result()


class _Handful:
    """Bundles, and whether another process was asked to examine them."""

    def __init__(self, bundles: list[Bundle]) -> None:
        self.bundles = bundles
        self.asked: _Asked | None = None

    @property
    def is_away(self) -> bool:
        return self.asked is not None and not self.asked.is_there


class SeveralProcesses:
    """This process and others, each of which opens the source for itself.

    Some way ahead of the rules, bundles are given to the others, as long as they have not enough to do. What is left,
    this process examines when the rules have come to it: nothing that it has found has to wait, and grow cold.
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
        waiting: deque[_Handful] = deque()
        for some in _handfuls(bundles):
            waiting.append(_Handful(some))
            if len(waiting) > _AHEAD * self.number:
                yield from self._next(waiting)
        while waiting:
            yield from self._next(waiting)

    def _next(self, waiting: "deque[_Handful]") -> Iterator[Examined]:
        """What the rules need next, once the others have enough to do: what the rules need last."""
        away = sum(one.is_away for one in waiting)
        free = [one for one in waiting if one.asked is None][1:]  # the first is for this process
        while free and away < _ENOUGH * (self.number - 1):
            one, away = free.pop(), away + 1
            one.asked = self._ask(_examined_there, one.bundles)
        first = waiting.popleft()
        if first.asked is None or first.asked.claim():
            return examine_all(self._source, first.bundles)
        file: Path = first.asked.result()
        data = file.read_bytes()
        file.unlink()
        return unpacked(data)

    def do(self, work: Callable[[Given], Done], given: Given) -> Later[Done]:
        return _Result(self._ask(work, given), partial(work, given))

    def _ask(self, work: Callable[[Any], Any], given: Any) -> _Asked:
        self._asked += 1
        name = str(self._asked)
        return _Asked(self._claims, name, self._pool.submit(_do, name, work, given))


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
