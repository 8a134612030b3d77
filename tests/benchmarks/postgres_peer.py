"""The peer: eventsourcing's own PostgreSQL recorder, on a PostgreSQL server of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem, DCBRecorder
from eventsourcing.dcb.postgres_tt import PostgresTTDCBFactory

ENTRY_BYTES = 450
"""About the size of the entry of a choice among five of eighty options."""


@contextmanager
def postgres_recorder() -> Iterator[DCBRecorder]:
    """A recorder on a fresh server with its default settings (`fsync` on), stopped afterwards."""
    with _server() as port:
        factory = PostgresTTDCBFactory(
            {
                "POSTGRES_DBNAME": "postgres",
                "POSTGRES_HOST": "127.0.0.1",
                "POSTGRES_PORT": str(port),
                "POSTGRES_USER": "postgres",
                "POSTGRES_PASSWORD": "not needed here",
            }
        )
        yield factory.dcb_recorder()
        factory.close()


def read_and_append(recorder: DCBRecorder, size: int = ENTRY_BYTES) -> Callable[[], int]:
    """A step: read the events of one voter (there are none), append one on condition that this stays so."""

    def step() -> int:
        voter = f"voter:{uuid.uuid4().hex}"
        query = DCBQuery([DCBQueryItem(types=["civic.choice.made.v1"], tags=[voter])])
        response = recorder.read(query)
        assert not list(response)
        event = DCBEvent("civic.choice.made.v1", b"x" * size, [voter])
        recorder.append([event], DCBAppendCondition(query, after=response.head))
        return 1

    return step


@contextmanager
def _server() -> Iterator[int]:
    folder = Path(tempfile.mkdtemp(prefix="civic-postgres-"))
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    data = folder / "data"
    _run(user, _binary("initdb"), "-D", str(data), "-A", "trust", "-U", "postgres")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
    _run(
        user,
        _binary("pg_ctl"),
        "-D",
        str(data),
        "-o",
        options,
        "-l",
        str(folder / "log"),
        "-w",
        "start",
    )
    try:
        yield port
    finally:
        _run(user, _binary("pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def _binary(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        raise SystemExit(
            f"{name} is missing: install PostgreSQL (Debian: apt-get install postgresql)"
        )
    return found


def _run(user: str, *command: str) -> None:
    change = {"user": user, "group": pwd.getpwnam(user).pw_gid} if os.geteuid() == 0 else {}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **change)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr or done.stdout}")
