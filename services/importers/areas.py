"""Carries Open Civic Data divisions into the ledger: each is a territory."""

from datetime import date
from pathlib import Path

from pydantic import ValidationError

from ledger.domain.areas import DefineArea, RetireArea
from ledger.domain.refusals import Reason, Refused
from services.importers.areas_csv import Division, read_areas
from services.importers.reading import ImportFileError
from services.importers.report import FileReport
from services.importers.run import Run, carried_out
from services.importers.territories import define, known_areas
from services.importers.texts import title


def import_areas(run: Run, path: Path, today: date) -> FileReport:
    """Define the areas of a file, and retire those that were abolished before `today`.

    An area that exists stays as it is. Ids of one division (`sameAs`) stay areas of their own:
    somebody may speak of each. A division that does not exist yet is left out.
    """
    report = FileReport(path, "areas")
    try:
        found = read_areas(path)
    except ImportFileError as error:
        report.refuse(error)
        return report
    report.bad_rows.extend(found.bad_rows)
    known = known_areas(run.ledger)
    wanted: dict[str, tuple[Division, DefineArea]] = {}
    for one in found.divisions:
        if one.valid_from is not None and one.valid_from > today.isoformat():
            report.notes.append(f"{one.ocd_id} is left out: it begins on {one.valid_from}.")
            continue
        try:
            command = DefineArea(area=one.area, name=title(one.name), ocd_id=one.ocd_id)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            report.bad(one.line, f"{'.'.join(map(str, first['loc']))}: {first['msg']}.")
        else:
            wanted[one.area] = one, command
    refused = define(run, (command for _, command in wanted.values()))
    for area, (division, _) in wanted.items():
        if area in refused:
            report.bad(division.line, refused[area].detail)
        else:
            report.counted += 1
            report.new += area not in known
    _retire(run, report, [one for area, (one, _) in wanted.items() if area not in refused], today)
    return report


def _retire(run: Run, report: FileReport, divisions: list[Division], today: date) -> None:
    """Retire what is over, once all that lies below is defined."""
    over = [one for one in divisions if one.valid_through and _ended(one.valid_through, today)]
    commands = ((one, one.area, RetireArea(area=one.area)) for one in over)
    for one, outcome in carried_out(run.ledger, commands):
        if isinstance(outcome, Refused) and outcome.reason is not Reason.AREA_RETIRED:
            report.bad(one.line, outcome.detail)
    if over:
        report.notes.append(f"{len(over):,} areas are retired: they are of the past.")


def _ended(valid_through: str, today: date) -> bool:
    """Whether the last day, or all of the last month or year, is over."""
    return valid_through < today.isoformat()[: len(valid_through)]
