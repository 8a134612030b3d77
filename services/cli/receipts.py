"""`civic-ledger receipt`: what a receipt proves, from the file and the vkey alone."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import VerifierKey
from ledger.transparency.policy import NO_WITNESSES, Policy, parse_policy
from ledger.transparency.proof import parse_proof, verify_proof
from services.assembly import log_keys
from services.cli.context import EXIT_FINDINGS, print_json, settings

app = typer.Typer(help="Receipts of choices.", no_args_is_help=True)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .tlog-proof file.")],
    vkey: Annotated[
        list[str] | None,
        typer.Option(
            help="The ledger's public key; may be repeated. Without: that of this ledger."
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A policy (C2SP tlog-policy): logs, and who must have cosigned.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what a receipt proves; exits with 1 if it proves nothing. Nobody is asked, and nothing else is read.

    That the choice was counted, decided upon or implemented is not in the file: the ledger's page for receipts, and any
    auditor, can tell.
    """
    followed, logs = _policy(policy), [_key(one) for one in vkey or ()]
    logs += followed.log_keys
    if not logs:
        logs = [key.verifier for key in log_keys(settings()).signing(first=False)]
    try:
        proof = parse_proof(file.read_bytes())
        if proof.extra is None:
            raise Unverified("the file holds no entry")
        signed = verify_proof(proof, proof.extra, logs, followed)
    except (Malformed, Unverified) as error:
        typer.echo(f"{file}: NOT PROVEN: {error}", err=True)
        raise typer.Exit(EXIT_FINDINGS) from error
    found: dict[str, Any] = {
        "origin": signed.checkpoint.origin,
        "position": proof.index + 1,
        "checkpoint": signed.checkpoint.size,
        "cosigned_by": [
            {"witness": key.name, "time": made.time} for key, made in signed.cosignatures.items()
        ],
        "entry": _read(proof.extra),
    }
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    typer.echo(
        f"Proven: the log {found['origin']} holds this entry at position {found['position']:,}; it signed a "
        f"checkpoint of {found['checkpoint']:,} entries that covers it."
    )
    for one in found["cosigned_by"]:
        typer.echo(f"Cosigned by {one['witness']} at {one['time']} seconds since 1970.")
    typer.echo(orjson.dumps(found["entry"], option=orjson.OPT_INDENT_2).decode())


def _read(entry: bytes) -> Any:
    """The entry as JSON; as hexadecimal digits where it is something else."""
    try:
        return orjson.loads(entry)
    except orjson.JSONDecodeError:
        return entry.hex()


def _key(vkey: str) -> VerifierKey:
    try:
        return VerifierKey.parse(vkey)
    except Malformed as error:
        raise typer.BadParameter(str(error), param_hint="--vkey") from error


def _policy(path: Path | None) -> Policy:
    if path is None:
        return NO_WITNESSES
    try:
        return parse_policy(path.read_bytes())
    except Malformed as error:
        raise typer.BadParameter(str(error), param_hint="--policy") from error
