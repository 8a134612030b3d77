"""Reads Open Civic Data division ids (OCDEP 2, https://docs.opencivicdata.org): `id,name,...`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.importers.area_paths import plain_letters
from services.importers.reading import BadRow, open_table, quoted

_PREFIX = "ocd-division/"


@dataclass(frozen=True, slots=True)
class Division:
    """One political division. `area` is its path in the ledger; `same_as` is another id for it.

    `valid_from` and `valid_through` are dates as the file has them: a year, a month or a day.
    """

    line: int
    ocd_id: str
    parent_ocd_id: str | None
    area: str
    name: str
    valid_from: str | None
    valid_through: str | None
    same_as: str | None


@dataclass(frozen=True, slots=True)
class Divisions:
    """A whole file: every division after the one that it lies in."""

    path: Path
    divisions: tuple[Division, ...]
    bad_rows: tuple[BadRow, ...]


def read_areas(path: Path) -> Divisions:
    """Read a file of divisions. Raises ImportFileError when it is damaged."""
    table = open_table(path, ("id", "name"))
    bad: list[BadRow] = []
    found: list[Division] = []
    for row in table.rows:
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        values = {name: row[1][at].strip() for name, at in table.columns.items()}
        try:
            found.append(_division(row[0], values))
        except ValueError as error:
            bad.append(BadRow(path, row[0], f"{error}."))
    placed: dict[str, Division] = {}
    areas: dict[str, Division] = {}
    for division in sorted(found, key=lambda division: division.ocd_id.count("/")):
        if division.ocd_id in placed:
            problem = f"The division is on line {placed[division.ocd_id].line} already."
        elif division.parent_ocd_id is not None and division.parent_ocd_id not in placed:
            problem = (
                f"The division above it, {quoted(division.parent_ocd_id)}, is not in the file."
            )
        elif division.area in areas:
            problem = f"It has the same area {division.area} as {areas[division.area].ocd_id}."
        else:
            placed[division.ocd_id] = areas[division.area] = division
            continue
        bad.append(BadRow(path, division.line, problem))
    return Divisions(path, tuple(placed.values()), tuple(bad))


def _division(line: int, values: Mapping[str, str]) -> Division:
    ocd_id = values["id"]
    area = area_of(ocd_id)
    if not values["name"]:
        raise ValueError("The division has no name")
    above, _, _ = ocd_id.rpartition("/")
    return Division(
        line=line,
        ocd_id=ocd_id,
        parent_ocd_id=above if "/" in above else None,
        area=area,
        name=values["name"],
        valid_from=_date(values.get("validfrom")),
        valid_through=_date(values.get("validthrough")),
        same_as=values.get("sameas") or None,
    )


def area_of(ocd_id: str) -> str:
    """The area of a division id: `ocd-division/country:pl/ed:1-2011` gives `pl/ed-1-2011`.

    A country is its code alone, so that it is the same area for every reader. No two ids in ASCII
    give one area: a hyphen within a type becomes a tilde, which no type has. Raises ValueError.
    """
    if not ocd_id.startswith(_PREFIX):
        raise ValueError(f"{quoted(ocd_id)} does not begin with {_PREFIX}")
    segments = []
    for number, segment in enumerate(ocd_id.removeprefix(_PREFIX).split("/")):
        kind, _, local = segment.partition(":")
        if not (_is_type(kind) and _is_local_id(local)):
            raise ValueError(f"{quoted(segment)} is not a type and an id as OCDEP 2 has them")
        if number == 0 and kind == "country":
            if not (len(local) == 2 and local.isascii() and local.isalpha()):
                raise ValueError(f"{quoted(local)} is not the code of a country")
            segments.append(local)
        else:
            segments.append(f"{kind.replace('-', '~')}-{local}")
    plain = plain_letters("/".join(segments))
    return "".join(c if c.isascii() else f"~{ord(c):x}" for c in plain)


def _is_letter(character: str) -> bool:
    return character.isalpha() and character == character.lower()


def _is_type(text: str) -> bool:
    return text != "" and _is_letter(text[0]) and all(_is_letter(c) or c in "-_" for c in text)


def _is_local_id(text: str) -> bool:
    return text != "" and all(_is_letter(c) or c in "0123456789.-_~" for c in text)


def _date(text: str | None) -> str | None:
    """A year, a month or a day, in digits and hyphens. Raises ValueError."""
    if not text:
        return None
    try:
        exact = date.fromisoformat(f"{text}-01-01"[:10]).isoformat().startswith(text)
    except ValueError:
        exact = False
    if not exact or len(text) not in (4, 7, 10):
        raise ValueError(f"{quoted(text)} is not a date")
    return text
