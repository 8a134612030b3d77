"""The most common events at a glance: canonical in every byte but those of the marks, by one regular expression.

Nearly all events are choices and registrations, and parsing them costs more than all that is checked of them. An
expression that spells out the canonical form (each attribute in its place, no spaces, no escapes) proves it in less
time, for a whole bundle in one go. What it does not match is read the long way (`form`), which has the last word on
what is wrong; what it does match, the long way reads alike, but for the marks: these are parsed when they are counted,
once for all who gave the same, and are refused there unless they are canonical too (`counting`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Final, NamedTuple

from services.audit.form import CHANGED, MADE, REGISTERED, NotWellFormed, Row, read
from services.audit.values import is_area, is_id, is_second

_TEXT: Final = r"([ !#-\[\]-~]++)"
"""Printable ASCII without what JSON escapes."""

_AREA: Final = "([a-z0-9._~/-]++)"
_PRIVATE: Final = '"private":"[0-9a-f]{64}"'
_ANSWER: Final = rf'\{{"area":"{_AREA}","marks":(\{{[^{{}}\\\n]*+\}})\}}'
_ID: Final = r"([!#-.0-\[\]-~]++/[1-9][0-9]*+)"
_TIME: Final = "([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z)"


def _event(data: str, subject: str, type_: str) -> str:
    return (
        rf'\{{"data":\{{{data}\}},"datacontenttype":"application/json","id":"{_ID}","source":"{_TEXT}",'
        rf'"specversion":"1[.]0","subject":"{subject}","time":"{_TIME}","type":"civic[.]{type_}[.]v1"\}}'
    )


def _choice(answers: str, type_: str) -> str:
    data = f'{answers},(?:{_PRIVATE},)?"question":"{_TEXT}","voter":"([0-9a-f]{{32}})"'
    return _event(data, f"question/{_TEXT}", type_)


_MADE: Final = _choice(f'"answer":{_ANSWER}', "choice[.]made")
_CHANGED: Final = _choice(f'"answer":{_ANSWER},"previous":{_ANSWER}', "choice[.]changed")
_REGISTERED: Final = _event(
    f'"home":"{_AREA}","person":"([0-9a-f]{{32}})"(?:,{_PRIVATE})?', "roll", "citizen[.]registered"
)

_Parts = tuple[str, ...]
_FIRST_PART: Final = itemgetter(0)
"""Of a line that is of the kind asked for it is never empty."""

_Read = tuple[Sequence[str], Sequence[str], Sequence[str], Iterator[Row]]
"""Of entries of one kind: their ids, sources, times and rows."""


class Contents(NamedTuple):
    """What the entries of a bundle hold; an entry that is not well formed has no id and no row."""

    ids: list[str]
    sources: set[str]
    times: list[str]
    rows: list[Row | None]
    wrong: list[tuple[int, NotWellFormed]]
    """Place in the bundle, and what is wrong."""


def read_all(entries: Sequence[bytes]) -> Contents:
    """The contents of the entries, in their order."""
    contents = Contents([""] * len(entries), set(), [], [None] * len(entries), [])
    left: list[int] = [*range(len(entries))]
    for kind in _KINDS:
        places, parts, others = _of_kind(kind, entries, left)
        found = kind.read(parts) if parts else None
        if found is not None:
            ids, sources, times, rows = found
            if not others and len(left) == len(entries):
                return Contents([*ids], {*sources}, [*times], [*rows], [])
            contents.sources.update(sources)
            for at, id_, row in zip(places, ids, rows, strict=True):
                contents.ids[at], contents.rows[at] = id_, row
            left = others
    for at in left:
        _read_long_way(contents, at, entries[at])
    contents.times.extend([row[1] for row in contents.rows if row is not None])
    return contents


def _of_kind(
    kind: "_Kind", entries: Sequence[bytes], left: list[int]
) -> tuple[list[int], list[_Parts], list[int]]:
    """The places of entries of one kind among those that are left, their parts, and the other places."""
    data = entries if len(left) == len(entries) else [entries[at] for at in left]
    try:
        lines = kind.pattern(b"\n".join((*data, b"")).decode())
    except UnicodeDecodeError:
        return [], [], left
    if len(lines) != len(left):
        return [], [], left
    if all(map(_FIRST_PART, lines)):
        return left, lines, []
    places = [at for at, parts in zip(left, lines, strict=True) if parts[0]]
    others = [at for at, parts in zip(left, lines, strict=True) if not parts[0]]
    return places, [parts for parts in lines if parts[0]], others


def _read_long_way(contents: Contents, at: int, entry: bytes) -> None:
    try:
        contents.ids[at], source, contents.rows[at] = read(entry)
    except NotWellFormed as error:
        contents.wrong.append((at, error))
    else:
        contents.sources.add(source)


def _made(found: Sequence[_Parts]) -> _Read | None:
    areas, marks, questions, voters, ids, sources, subjects, times, _ = zip(*found, strict=True)
    if questions != subjects or not _are_legal(areas, questions, times):
        return None
    people, answers = map(bytes.fromhex, voters), zip(areas, marks, strict=True)
    rows = zip(repeat(MADE), times, questions, people, answers, repeat(None))
    return ids, sources, times, rows


def _changed(found: Sequence[_Parts]) -> _Read | None:
    areas, marks, before, marks_before, questions, voters, ids, sources, subjects, times, _ = zip(
        *found, strict=True
    )
    if questions != subjects or not _are_legal({*areas, *before}, questions, times):
        return None
    people, answers = map(bytes.fromhex, voters), zip(areas, marks, strict=True)
    previous = zip(before, marks_before, strict=True)
    rows = zip(repeat(CHANGED), times, questions, people, answers, previous)
    return ids, sources, times, rows


def _registered(found: Sequence[_Parts]) -> _Read | None:
    homes, persons, ids, sources, times, _ = zip(*found, strict=True)
    if not _are_legal(homes, (), times):
        return None
    people = map(bytes.fromhex, persons)
    nothing = repeat(None)
    rows = zip(repeat(REGISTERED), times, homes, people, nothing, nothing)
    return ids, sources, times, rows


def _are_legal(areas: Iterable[str], questions: Iterable[str], times: Iterable[str]) -> bool:
    return (
        all(map(is_area, {*areas}))
        and all(map(is_id, {*questions}))
        and all(map(is_second, {time[:19] for time in times}))
    )


class _Kind(NamedTuple):
    pattern: Callable[[str], list[_Parts]]
    """For each line: its parts, if it is of this kind; else nothing but the whole line, in the last place."""
    read: Callable[[Sequence[_Parts]], _Read | None]
    """What they hold; None if one of them is not right in what no expression can tell."""


def _lines(event: str) -> Callable[[str], list[_Parts]]:
    return re.compile(f"(?:{event}|([^\n]*+))\n").findall


_KINDS: Final = (
    _Kind(_lines(_MADE), _made),
    _Kind(_lines(_CHANGED), _changed),
    _Kind(_lines(_REGISTERED), _registered),
)
