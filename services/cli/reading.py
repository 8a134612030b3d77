"""The commands that read: tally, decision, citizen, area, export."""

import csv
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from projections.answers import AreaView, CitizenView, DecisionAnswer, QuestionTally
from projections.queries import NotFound
from services.cli.context import current, print_json
from services.exports import TALLY_COLUMNS, Format, tally_rows

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def add_commands(app: typer.Typer) -> None:
    for command in (tally, decision, citizen, area):
        app.command()(command)
    export = typer.Typer(help="Write open data.", no_args_is_help=True)
    export.command()(tallies)
    app.add_typer(export, name="export")


def tally(
    question: Annotated[str, typer.Argument(help="The question's id.")],
    area: Annotated[str | None, typer.Option(help="Only the voters of this area.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count the standing choices on a question."""
    with current() as system:
        found = system.queries.tally(question, area)
    if as_json:
        print_json(found)
    else:
        _print_tally(found)


def decision(
    question: Annotated[str, typer.Argument(help="The question's id.")], as_json: AsJson = False
) -> None:
    """Say what was decided about a question, by which rule, and why."""
    with current() as system:
        found = system.queries.decision(question)
    if as_json:
        print_json(found)
    else:
        _print_decision(found)


def citizen(
    identity: Annotated[str, typer.Option(help="Who they are, as the roll names them.")],
    as_json: AsJson = False,
) -> None:
    """Show one person's own view: standing choices and what became of them, arrangements, requests."""
    with current() as system:
        known = system.vault.citizen(identity)
        if known is None:
            raise NotFound("The vault knows nobody by this identity.")
        found = system.queries.citizen(known)
    if as_json:
        print_json(found)
    else:
        _print_citizen(found)


def area(
    area: Annotated[str, typer.Argument(help="The area's id, a path such as pl/warszawa.")],
    as_json: AsJson = False,
) -> None:
    """Show an area: its roll, questions, decisions, outcomes and requests, with all below it."""
    with current() as system:
        found = system.queries.area(area)
    if as_json:
        print_json(found)
    else:
        _print_area(found)


def tallies(
    format: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.CSV,
) -> None:
    """Write the tallies of all questions: CSV with a row an option, or JSON."""
    with current() as system:
        if format is Format.JSON:
            print_json([one.model_dump(mode="json") for one in system.queries.tallies()])
            return
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(TALLY_COLUMNS)
        for one in system.queries.tallies():
            rows.writerows(tally_rows(one))


def _print_tally(found: QuestionTally) -> None:
    typer.echo(
        f"{found.title}\n{found.voters:,} voters of {found.area}, at position {found.position:,}\n"
    )
    _print_table(
        ("count", "total", "option"),
        ((f"{one.count:,}", f"{one.total:,}", f"{one.id}  {one.title}") for one in found.options),
    )


def _print_decision(found: DecisionAnswer) -> None:
    typer.echo(f"{found.question}: {found.reason}")
    typer.echo(f"rule     {found.rule or 'none'}")
    typer.echo(f"adopted  {', '.join(found.adopted) or 'nothing'}")
    if found.tied:
        typer.echo(f"tied     {', '.join(found.tied)}")
    typer.echo(f"(at position {found.position:,})")


def _print_citizen(found: CitizenView) -> None:
    typer.echo(
        f"lives in {found.home or 'no area'}; member of {', '.join(found.memberships) or 'nothing'}"
    )
    typer.echo(f"(at position {found.position:,})")
    for choice in found.choices:
        decided = "decided" if choice.decision else "not decided"
        implemented = ", ".join(
            f"{one.option} {one.stage} {one.percent} %" for one in choice.outcomes
        )
        marks = choice.marks if choice.marks is not None else "sealed"
        typer.echo(
            f"  {choice.question}  {marks}  counted at {choice.counted_at:,}, {decided}"
            + (f", {implemented}" if implemented else "")
        )
    for arrangement in found.arrangements:
        typer.echo(f"  arranged {arrangement.service}: {arrangement.offer}")
    for request in found.requests:
        typer.echo(f"  request {request.request} ({request.service}): {request.stage}")


def _print_area(found: AreaView) -> None:
    typer.echo(
        f"{found.name} ({found.kind}), {found.roll:,} on the roll, at position {found.position:,}"
    )
    if found.below:
        typer.echo("below: " + ", ".join(one.area for one in found.below))
    _print_table(
        ("voters", "share", "stage", "question"),
        (
            (f"{one.voters:,}", f"{one.share_per_mille / 10:.1f} %", one.stage, one.question)
            for one in found.questions
        ),
    )
    for result in found.results:
        typer.echo(f"{result.kind} on {result.question} at {result.at:,}")
    for count in found.requests:
        typer.echo(f"requests for {count.service}: {count.requests:,} {count.stage}")


def _print_table(head: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]
    for line in lines:
        numbers = "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=False))
        typer.echo(f"{numbers}  {line[-1]}")
