"""`civic-ledger import`: ballots, areas and rolls, through the same commands as a citizen's click."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from services.assembly import System
from services.cli.context import EXIT_FINDINGS, attended, opened, print_json, progress
from services.cli.reading import AsJson
from services.importers.areas import import_areas
from services.importers.pabulib import import_pabulib
from services.importers.pabulib_check import check_poll
from services.importers.polis import import_polis
from services.importers.polis_check import check_conversation
from services.importers.report import FileReport, Mention
from services.importers.roll import import_roll
from services.importers.run import Run

app = typer.Typer(help="Bring in ballots, areas and rolls.", no_args_is_help=True)

Check = Annotated[
    bool, typer.Option("--check", help="Compare the result with the figures that the data carries.")
]
Folders = Annotated[
    list[Path],
    typer.Argument(exists=True, file_okay=False, help="Folders, each with one conversation."),
]
Files = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, help="Files of Pabulib (.pb).")
]
AreaFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Open Civic Data division ids, CSV.")
]
RollFile = Annotated[
    Path,
    typer.Argument(
        exists=True,
        dir_okay=False,
        help="CSV: identity, home, memberships (with ; between); all else is personal.",
    ),
]


@app.command()
def polis(folders: Folders, check: Check = False, as_json: AsJson = False) -> None:
    """Import Polis conversations: each statement becomes a question of method agreement."""
    reports = []
    with _running() as (run, system):
        for folder in folders:
            report, conversation = import_polis(run, folder, system.settings.origin)
            if check and conversation is not None:
                run.caught_up()
                check_conversation(run, report, conversation)
            reports.append(report)
    _tell(reports, as_json)


@app.command()
def pabulib(files: Files, check: Check = False, as_json: AsJson = False) -> None:
    """Import votes on participatory budgets, with one roll for all files of the call."""
    with _running() as (run, system):
        polls = import_pabulib(run, files, system.settings.origin)
        if check:
            run.caught_up()
            for poll in polls:
                check_poll(run, poll)
    _tell([poll.report for poll in polls], as_json)


@app.command()
def areas(file: AreaFile, as_json: AsJson = False) -> None:
    """Import areas from Open Civic Data."""
    with _running() as (run, _):
        report = import_areas(run, file, datetime.now(UTC).date())
    _tell([report], as_json)


@app.command()
def roll(file: RollFile, as_json: AsJson = False) -> None:
    """Import a roll of citizens. Their areas must exist."""
    with _running() as (run, _):
        report = import_roll(run, file)
    _tell([report], as_json)


@contextmanager
def _running() -> Iterator[tuple[Run, System]]:
    with opened() as system:
        yield Run(system.ledger, system.queries, progress, partial(attended, system)), system


def _tell(reports: Sequence[FileReport], as_json: bool) -> None:
    """Problems go to standard error, all else to standard output. Then the command may end with 1."""
    for report in reports:
        for problem in report.problems():
            sys.stderr.write(problem + "\n")
    if as_json:
        print_json({"files": [report.document() for report in reports]})
    else:
        for report in reports:
            _print(report)
    if not all(report.faultless for report in reports):
        raise typer.Exit(EXIT_FINDINGS)


def _print(report: FileReport) -> None:
    if report.refused:
        typer.echo(f"{report.path}: refused, nothing of it is used")
        return
    for note in report.notes:
        typer.echo(f"{report.path}: {note}")
    for one in report.differences:
        kind = "explained" if one.explained else "UNEXPLAINED"
        figures = f"published {one.published}, counted {one.counted}"
        typer.echo(f"{report.path}: {one.what}: {figures}. {kind}: {one.why}")
        for ballot in one.ballots:
            typer.echo(f"  {report.path}:{ballot.line}: {_named(ballot)}")
    typer.echo(
        f"{report.path}: {report.counted:,} {report.unit} counted ({report.new:,} of them new), "
        f"{report.repeats:,} repeated, {len(report.bad_rows):,} bad" + _verdict(report)
    )


def _named(ballot: Mention) -> str:
    return (
        f"voter {ballot.voter_id} names {ballot.project} {ballot.times} times, "
        f"which counts {'once' if ballot.counted else 'for nothing, without points'}"
    )


def _verdict(report: FileReport) -> str:
    if not report.checked:
        return ""
    return "; as published" if report.faultless else "; NOT as published"
