"""`civic-ledger witness`: cosign the checkpoints of logs, of this ledger and of others."""

import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from ledger.transparency.errors import Malformed
from ledger.transparency.keys import SignatureType, SigningKey, VerifierKey, check_name
from ledger.transparency.policy import parse_policy
from services.cli.context import settings
from services.errors import CannotListen
from services.logs import write_logs
from services.signing_keys import KeyFile

app = typer.Typer(help="Cosign checkpoints of logs that only grow.", no_args_is_help=True)

Name = Annotated[
    str, typer.Option(help="The witness's name: its address without https:// is a good one.")
]
Key = Annotated[Path, typer.Option(help="The file of its key. It is made at first use.")]


@app.command()
def show(name: Name, key: Key = Path("var/witness.key")) -> None:
    """Print the witness's public key (vkey), and nothing else."""
    typer.echo(_first_of(_key(name, key)).verifier.vkey)


@app.command()
def serve(
    name: Name,
    key: Key = Path("var/witness.key"),
    state: Annotated[
        Path, typer.Option(help="The file that holds what was cosigned. Never put back a copy.")
    ] = Path("var/witness.sqlite"),
    log_vkey: Annotated[
        list[str] | None, typer.Option(help="The vkey of a log to cosign for; may be repeated.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A file whose log lines name more of them."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = 8100,
) -> None:
    """Answer POST /add-checkpoint (C2SP tlog-witness) until stopped."""
    from services.witness.serving import server
    from services.witness.store import WitnessStore
    from services.witness.witness import Witness

    file, logs = _key(name, key), _logs(log_vkey or [], policy)
    write_logs(settings().log_level)
    signer = _first_of(file)
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise CannotListen(f"{host} port {port}: {error.strerror or error}") from error
    store = WitnessStore(state)
    with listener:
        typer.echo(signer.verifier.vkey)
        typer.echo(f"Witnessing on http://{host}:{listener.getsockname()[1]}")
        running = server(Witness(signer, logs, store))
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: None)  # it is raised once more when the server has ended
        running.run(sockets=[listener])
    store.close()


def _key(name: str, path: Path) -> KeyFile:
    try:
        check_name(name, "witness")
    except Malformed as error:
        raise typer.BadParameter(str(error), param_hint="--name") from error
    return KeyFile(path, name, SignatureType.COSIGNATURE)


def _first_of(file: KeyFile) -> SigningKey:
    if not file.exists():
        file.make()
    return file.read()[0]


def _logs(vkeys: list[str], policy: Path | None) -> list[VerifierKey]:
    try:
        logs = [VerifierKey.parse(one) for one in vkeys]
        logs += [] if policy is None else parse_policy(policy.read_bytes()).log_keys
    except Malformed as error:
        raise typer.BadParameter(str(error)) from error
    if any(log.type is not SignatureType.ED25519 for log in logs):
        raise typer.BadParameter("the key of a log is of type 0x01", param_hint="--log-vkey")
    if not logs:
        raise typer.BadParameter("name at least one log", param_hint="--log-vkey")
    return logs
