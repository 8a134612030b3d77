"""The command that runs the ledger: serve."""

from typing import Annotated

import typer

from services.cli.context import settings
from services.settings import MEMORY


def add_commands(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (CIVIC_HOST).")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; 0 takes a free one (CIVIC_PORT).")
    ] = None,
    sample_town: Annotated[
        bool, typer.Option("--sample-town", help="Fill an empty ledger with a made-up town first.")
    ] = False,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby",
            help="Where another server takes the commands (a log on Kafka has one at a time): serve readers, and "
            "take over when that one ends.",
        ),
    ] = False,
    no_fold: Annotated[
        bool,
        typer.Option(
            "--no-fold",
            help="Leave the read models to workers in other processes (`civic-ledger project`), on this machine or "
            "others: commands then have this one's processor to themselves.",
        ),
    ] = False,
) -> None:
    """Run everything in one process: API, pages, and the workers that keep the read models up to date."""
    from services.server import run

    chosen = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    known = settings().model_copy(update=chosen)
    if no_fold and known.store == MEMORY:
        raise typer.BadParameter(
            "--no-fold needs read models that other processes can write: set CIVIC_STORE"
        )
    run(known, sample_town=sample_town, standby=standby, folds=not no_fold)
