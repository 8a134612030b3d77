"""Examined bundles on their way from one process to another: what most events are (choices, registrations) by columns.

A value that many rows share is handed over once; as many objects as rows would take longer than all that is checked.
"""

import marshal
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from services.audit.bundles import Examined
from services.audit.form import CHANGED, LAPSED, MADE, REGISTERED, WITHDRAWN, Row

_COMMON = frozenset({MADE, CHANGED, WITHDRAWN, LAPSED, REGISTERED})
_PERSON = 16
"""Bytes of a pseudonym."""


def packed(examined: Iterable[Examined]) -> bytes:
    """In a form that is handed to another process in little time."""
    packets = [*map(_packet, examined)]  # which keeps none of them: see `examine_all`
    return marshal.dumps(packets, 2)


def unpacked(data: bytes) -> Iterator[Examined]:
    """The inverse of `packed`: of bytes of a process of our own only."""
    for packet in marshal.loads(data):
        one = Examined(*marshal.loads(packet))
        yield one._replace(ids=_split(one.ids), rows=_rows(one.rows))


def _packet(one: Examined) -> bytes:
    return marshal.dumps((*one._replace(ids=_joined(one.ids), rows=_columns(one.rows)),), 2)


def _joined(texts: list[str]) -> Any:
    joined = "\n".join(texts)
    return joined if joined.count("\n") == len(texts) - 1 else texts


def _split(joined: Any) -> list[str]:
    texts: list[str] = joined.split("\n") if isinstance(joined, str) else joined
    return texts


def _columns(rows: list[Row | None]) -> Any:
    """The columns of choices and registrations; other rows as they are."""
    if not rows or not {None if row is None else row[0] for row in rows} <= _COMMON:
        return rows
    kinds, times, names, people, given, previous = zip(*rows, strict=True)
    return (
        bytes(kinds),
        "\n".join(times),
        _numbered(names),
        b"".join(people),
        _numbered(given),
        _numbered(previous),
    )


def _rows(columns: Any) -> list[Row | None]:
    if isinstance(columns, list):
        return columns
    kinds, times, names, people, given, previous = columns
    return [
        *zip(
            kinds,
            times.split("\n"),
            _each(*names),
            [people[at : at + _PERSON] for at in range(0, len(people), _PERSON)],
            _each(*given),
            _each(*previous),
            strict=True,
        )
    ]


def _numbered(values: Sequence[Hashable]) -> tuple[list[Hashable], bytes]:
    """Each different value once, and the number of each row's: a bundle's rows are at most 256."""
    if values[0] == values[-1] and values.count(values[0]) == len(values):
        return [values[0]], bytes(len(values))
    numbers: dict[Hashable, int] = {}
    each = bytes([numbers.setdefault(value, len(numbers)) for value in values])
    return list(numbers), each


def _each(values: list[Hashable], numbers: bytes) -> Iterator[Hashable]:
    return map(values.__getitem__, numbers)
