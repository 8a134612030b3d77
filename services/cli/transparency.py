"""The commands for public proof: tree, keys, attestations."""

from typing import Annotated

import typer

from ledger.domain.transparency import RotateKey
from projections.attestations import Attestor, Checked, check
from projections.catalogue import all_projections
from projections.tree.publishing import TreeStatus
from services.assembly import log_and_store, log_keys, publishing
from services.cli.context import (
    EXIT_FINDINGS,
    attended,
    opened,
    print_json,
    progress,
    settings,
    stopping,
)
from services.logs import write_logs
from services.signing_keys import KeyFile, KeysUnavailable, LogKeys

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

keys = typer.Typer(help="The key that signs checkpoints.", no_args_is_help=True)


def add_commands(app: typer.Typer) -> None:
    app.command()(tree)
    app.command()(attestations)
    app.add_typer(keys, name="keys")


def tree(
    once: Annotated[
        bool, typer.Option("--once", help="Bring the public files up to date, then exit.")
    ] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Write all public files anew first, from the log.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the public files: entries, tiles and signed checkpoints. `serve` does so by itself.

    Exits with 1 where too few witnesses cosign, and signs nothing where the log does not extend what was signed.
    """
    if not once:
        write_logs(settings().log_level)
    with opened(verify=True) as system:
        with publishing(settings(), system.log, system.public) as worker:
            if rewrite:
                worker.rewrite()
            status = worker.catch_up()
            _tell(status, as_json)
            if not once:
                worker.follow(stopping(), settings().checkpoint_every)
        if once and status.held_back is not None:
            raise typer.Exit(EXIT_FINDINGS)


def attestations(
    now: Annotated[
        bool, typer.Option("--now", help="First attest what the read models hold now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the digests that the ledger attested with a replay of its log. Exits with 1 if one is false."""
    if now:
        with opened() as system:
            attended(system)
            Attestor(system.ledger, system.store, all_projections()).attest()
    with (
        log_and_store(settings()) as (log, _),
        progress("replay", unit="events", lines=True) as show,
    ):
        found = list(check(log, all_projections(), show))
    if as_json:
        print_json(
            [
                {**one.attested.model_dump(), "at": one.position, "replayed": one.replayed}
                for one in found
            ]
        )
    else:
        for one in found:
            typer.echo(_line(one))
    if any(one.is_false for one in found):
        raise typer.Exit(EXIT_FINDINGS)


@keys.command()
def generate() -> None:
    """Make a key where there is none, and print its public part (vkey)."""
    file = _file(log_keys(settings()))
    if file.exists():
        raise KeysUnavailable(
            f"there is a signing key in {file.path} already; `keys rotate` makes the next one"
        )
    typer.echo(file.make().verifier.vkey)


@keys.command()
def show() -> None:
    """Print the public key (vkey) by which anybody verifies checkpoints, and nothing else."""
    (current, *_) = log_keys(settings()).signing(first=False)
    typer.echo(current.verifier.vkey)


@keys.command()
def rotate() -> None:
    """Make the next key, record it in the log, and let both sign from now on. Prints the new vkey.

    Interrupted, it goes on with the same key when it is called again. `keys retire` ends the signatures of the old one.
    """
    file = _file(log_keys(settings()))
    current, *older = file.read()
    waiting = KeyFile(file.path.with_name(f"{file.path.name}.next"), settings().origin)
    following = waiting.read()[0] if waiting.exists() else waiting.make()
    new = following.verifier.vkey
    if new != current.verifier.vkey:  # else only the end of it was interrupted
        with opened() as system:
            command = RotateKey(previous=current.verifier.vkey, vkey=new)
            system.ledger.execute(command, f"rotate-key-{following.verifier.id.hex()}")
        file.replace([following, current, *older])
    waiting.path.unlink()
    typer.echo(new)


@keys.command()
def retire() -> None:
    """Let only the current key sign. Do so when all who verify, witnesses too, have it."""
    file = _file(log_keys(settings()))
    current, *_ = file.read()
    file.replace([current])


def _file(keys: LogKeys) -> KeyFile:
    if keys.in_environment:
        raise KeysUnavailable(
            "the key stands in CIVIC_SIGNING_KEY (or goes with a log in memory): change it there"
        )
    return keys.file


def _tell(status: TreeStatus, as_json: bool) -> None:
    if as_json:
        print_json(
            {"published": status.published, "signed": status.signed, "held_back": status.held_back}
        )
    elif status.held_back is not None:
        typer.echo(f"signed {status.signed or 0:,} entries, held back: {status.held_back}")
    else:
        typer.echo(f"published a checkpoint of {status.published or 0:,} entries")


def _line(one: Checked) -> str:
    told = f"position {one.position:,}: {one.attested.model} at {one.attested.position:,}"
    if one.replayed is None:
        return f"{told}: not checked, of version {one.attested.version} of the model"
    if one.is_false:
        return f"{told}: FALSE, attested {one.attested.digest}, a replay gives {one.replayed}"
    return f"{told}: as a replay gives it"
