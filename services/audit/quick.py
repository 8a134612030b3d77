"""The most common events at a glance: canonical in every byte but those of the marks, by one regular expression.

Nearly all events are choices and registrations, and parsing them costs more than all that is checked of them. An
expression that spells out the canonical form (each attribute in its place, no spaces, no escapes) proves it in less
time, for a whole bundle in one go. What it does not match is read the long way (`form`), which has the last word on
what is wrong; what it does match, the long way reads alike, but for the marks: these are parsed when they are counted,
once for all who gave the same, and are refused there unless they are canonical too (`counting`).
"""

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from services.audit.form import CHANGED, MADE, REGISTERED, NotWellFormed, Read, Row, read
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
_FIRST_CHOICES = re.compile(f"(?:{_MADE}|([^\n]*+))\n").findall
"""For each line: the eight parts of a first choice; or the whole line, where it is none."""

_ANOTHER = re.compile(f"{_CHANGED}|{_REGISTERED}").fullmatch

_Parts = tuple[str, str, str, str, str, str, str, str, str]
_TIME_OF: Final = itemgetter(7)
_NO_PARTS: Final[_Parts] = ("",) * 9


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
    parts = _first_choices(entries)
    if parts is None:
        return _one_by_one(entries, [_NO_PARTS] * len(entries))
    if not all(map(_TIME_OF, parts)):
        return _one_by_one(entries, parts)
    _, _, _, _, ids, sources, _, times, _ = zip(*parts, strict=True)
    return Contents([*ids], {*sources}, [*times], [_first_choice(*one) for one in parts], [])


def _one_by_one(entries: Sequence[bytes], first_choices: Sequence[_Parts]) -> Contents:
    ids, sources, times, rows, wrong = contents = Contents([], set(), [], [], [])
    for entry, parts in zip(entries, first_choices, strict=True):
        try:
            if parts[7]:
                id_, source, row = parts[4], parts[5], _first_choice(*parts)
            else:
                id_, source, row = _another(entry) or read(entry)
        except NotWellFormed as error:
            wrong.append((len(rows), error))
            ids.append("")
            rows.append(None)
            continue
        ids.append(id_)
        sources.add(source)
        times.append(row[1])
        rows.append(row)
    return contents


def _first_choice(
    area: str,
    marks: str,
    question: str,
    voter: str,
    _id: str,
    _source: str,
    _subject: str,
    time: str,
    _: str,
) -> Row:
    return (MADE, time, question, bytes.fromhex(voter), (area, marks), None)


def _first_choices(entries: Sequence[bytes]) -> list[_Parts] | None:
    """What the expression makes of each entry; None if a value in one of them is not as it must be."""
    try:
        found: list[_Parts] = _FIRST_CHOICES(b"\n".join((*entries, b"")).decode())
    except UnicodeDecodeError:
        return None
    if len(found) == len(entries) and found:
        areas, _, questions, _, _, _, subjects, times, _ = zip(*found, strict=True)
        if (
            questions == subjects
            and all(map(is_area, {*areas} - {""}))
            and all(map(is_id, {*questions} - {""}))
            and all(map(is_second, {time[:19] for time in times} - {""}))
        ):
            return found
    return None


def _another(entry: bytes) -> Read | None:
    """A choice that was changed, or a registration, if that is what it is and nothing is wrong with it."""
    found = _ANOTHER(entry.decode("latin-1"))
    if found is None or not entry.isascii():
        return None
    area, marks, before, marks_before, question, voter, id_, source, subject, time = found.groups()[
        :10
    ]
    if time is None:
        area, person, id_, source, time = found.groups()[10:]
        row: Row = (REGISTERED, time, bytes.fromhex(person), area)
    else:
        if subject != question or not is_id(question) or not is_area(before):
            return None
        previous = (before, marks_before)
        row = (CHANGED, time, question, bytes.fromhex(voter), (area, marks), previous)
    if not is_area(area) or not is_second(time[:19]):
        return None
    return id_, source, row
