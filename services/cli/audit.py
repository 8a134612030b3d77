"""`civic-ledger audit`: the independent auditor, over public files alone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ledger.transparency.errors import Malformed
from ledger.transparency.keys import SignatureType, VerifierKey
from ledger.transparency.policy import Policy, parse_policy
from services.cli.context import EXIT_FINDINGS, progress

if TYPE_CHECKING:
    from services.audit.report import Report

EXIT_CANNOT_READ = 3


def add_commands(app: typer.Typer) -> None:
    app.command()(audit)


def audit(
    place: Annotated[
        str,
        typer.Argument(metavar="URL|DIR", help="The log's public files: an address or a folder."),
    ],
    vkey: Annotated[
        list[str] | None,
        typer.Option(help="The log's public key, from elsewhere than the log. May be repeated."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Which witnesses must have cosigned."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Remember the log here; the next audit reads what is new."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the report: a page (.html) or data (.json)."),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(metavar="URL|DIR", help="Published results to compare with: the API's."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    recount: Annotated[
        Literal["python", "duckdb"], typer.Option(help="What counts the tallies again.")
    ] = "python",
) -> None:
    """Check a log from its public files: every hash, signature, rule, count and decision.

    Exit code 0: nothing wrong was found; 1: something was; 2: not asked properly; 3: the files cannot be read.
    """
    from services.audit.recount import DuckDBMissing
    from services.audit.report import write_report
    from services.audit.run import Options, audit
    from services.audit.source import CannotRead

    options = Options(
        place=place,
        keys=tuple(_key(one) for one in vkey or ()),
        policy=None if policy is None else _policy(policy),
        state=state,
        published=published,
        workers=workers,
        recount=recount,
    )
    try:
        found = audit(options, lambda: progress("audit", unit="events"))
        if report is not None:
            write_report(found, report)
    except DuckDBMissing as error:
        raise typer.BadParameter(str(error)) from error
    except (CannotRead, OSError) as error:
        sys.stderr.write(f"civic-ledger: {error}\n")
        raise typer.Exit(EXIT_CANNOT_READ) from error
    _tell(found)
    if not found.clean:
        raise typer.Exit(EXIT_FINDINGS)


def _key(vkey: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(vkey)
    except Malformed as error:
        raise typer.BadParameter(str(error), param_hint="--vkey") from error
    if key.type is not SignatureType.ED25519:
        raise typer.BadParameter(f"{key.name} is a witness's key", param_hint="--vkey")
    return key


def _policy(path: Path) -> Policy:
    try:
        return parse_policy(path.read_bytes())
    except Malformed as error:
        raise typer.BadParameter(str(error), param_hint="--policy") from error


def _tell(found: "Report") -> None:
    for one in found.findings.listed():
        place = one.place if one.file is None else f"{one.place} ({one.file})"
        typer.echo(
            f"{place}: {one.kind.title_}. Found: {one.found}. Expected: {one.expected}. [{one.kind}]"
        )
    for unchecked in found.unchecked:
        typer.echo(f"not checked: {unchecked}")
    numbers, total = found.numbers, found.findings.counts.total()
    verdict = "nothing wrong was found" if found.clean else f"{total:,} findings"
    typer.echo(
        f"{numbers.entries:,} entries ({numbers.new:,} new), {numbers.questions:,} questions, "
        f"{numbers.choices:,} choices, {numbers.decisions:,} decisions, {numbers.figures:,} published figures: "
        f"{verdict}"
    )
