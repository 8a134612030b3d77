"""Reads a roll of citizens: `identity,home[,memberships][,further columns]`, row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.importers.reading import BadRow, Table, open_table

_SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class RollRow:
    """One citizen: who, the area they live in, the communities they belong to, and all else.

    Everything but the two areas is personal: it belongs in the vault, and never in a message.
    """

    line: int
    identity: str
    home: str
    memberships: tuple[str, ...]
    details: Mapping[str, str]


def read_roll(path: Path) -> Iterator[RollRow | BadRow]:
    """The rows in file order, as they are read; an identity that comes again is a BadRow.

    The file is checked as text, and its header, before this returns. Raises ImportFileError.
    """
    return _citizens(path, open_table(path, ("identity", "home")))


def _citizens(path: Path, table: Table) -> Iterator[RollRow | BadRow]:
    identity_at, home_at = table.columns["identity"], table.columns["home"]
    memberships_at = table.columns.get("memberships")
    used = (identity_at, home_at, memberships_at)
    personal = [(name, at) for name, at in table.columns.items() if at not in used]
    lines: dict[str, int] = {}
    for row in table.rows:
        if isinstance(row, BadRow):
            yield row
            continue
        line, cells = row
        identity, home = cells[identity_at].strip(), cells[home_at].strip()
        memberships = () if memberships_at is None else _areas(cells[memberships_at])
        problem = None
        if not identity:
            problem = "The identity is empty."
        elif not home:
            problem = "The home is empty."
        elif identity in lines:
            problem = f"The identity of line {lines[identity]} is here again."
        elif "" in memberships:
            problem = "A membership between two separators is empty."
        elif len(set(memberships)) < len(memberships):
            problem = "A membership is named twice."
        if problem is not None:
            yield BadRow(path, line, problem)
            continue
        lines[identity] = line
        details = {name: value for name, at in personal if (value := cells[at].strip())}
        yield RollRow(line, identity, home, memberships, details)


def _areas(text: str) -> tuple[str, ...]:
    return tuple(area.strip() for area in text.split(_SEPARATOR)) if text.strip() else ()
