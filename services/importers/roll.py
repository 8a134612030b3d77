"""Carries a roll of citizens into the ledger: homes, communities, and what is theirs alone."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import JoinCommunity
from services.importers.reading import BadRow, ImportFileError
from services.importers.report import FileReport
from services.importers.residents import Resident, settled
from services.importers.roll_csv import RollRow, read_roll
from services.importers.run import BATCH, Run, carried_out
from services.importers.territories import known_areas


def import_roll(run: Run, path: Path) -> FileReport:
    """Register the citizens of a file. The areas must exist; who has none is not even enrolled."""
    report = FileReport(path, "people")
    try:
        rows = read_roll(path)
    except ImportFileError as error:
        report.refuse(error)
        return report
    areas = known_areas(run.ledger)
    done = 0
    with run.progress("roll", "people") as show:
        while batch := list(islice(rows, BATCH)):
            _settle(run, report, list(_housed(report, batch, frozenset(areas))))
            done += len(batch)
            show(done, done)
    return report


def _housed(
    report: FileReport, rows: Sequence[RollRow | BadRow], areas: frozenset[str]
) -> Iterator[RollRow]:
    for row in rows:
        if isinstance(row, BadRow):
            report.bad_rows.append(row)
            continue
        unknown = next((one for one in (row.home, *row.memberships) if one not in areas), None)
        if unknown is None:
            yield row
        else:
            report.bad(row.line, f"There is no area {unknown!r}; define it first.")


def _settle(run: Run, report: FileReport, rows: Sequence[RollRow]) -> None:
    residents = (Resident(row.identity, row.home, row.details) for row in rows)
    members = []
    for row, one in zip(rows, settled(run, residents), strict=True):
        if one.problem is not None:
            report.bad(row.line, one.problem)
            continue
        report.counted += 1
        report.new += one.new
        members.append((row, one.citizen))
    most = max((len(row.memberships) for row, _ in members), default=0)
    for nth in range(most):  # two of one person at a time would be in each other's way
        commands = (
            (row, row.memberships[nth], JoinCommunity(citizen=citizen, area=row.memberships[nth]))
            for row, citizen in members
            if nth < len(row.memberships)
        )
        for row, outcome in carried_out(run.ledger, commands):
            if isinstance(outcome, Refused) and outcome.reason is not Reason.ALREADY_THERE:
                report.bad(row.line, outcome.detail)
