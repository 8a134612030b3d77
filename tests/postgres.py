"""A PostgreSQL server of its own, on a free port and in a folder of its own, for tests and benchmarks."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.missing import missing

LACKING = "PostgreSQL is missing: install it (Debian: apt-get install postgresql)"


class Server:
    """A server with its default settings (`fsync` on). Everybody on this machine may sign in as `postgres`.

    `like_people`: it orders text as people do, unless it is told otherwise.
    """

    def __init__(self, folder: Path, *, like_people: bool = False) -> None:
        self.folder = folder
        self.port = _free_port()
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._data = folder / "data"
        shutil.chown(folder, self._user)
        order = ("--locale-provider=icu", "--icu-locale=en") if like_people else ()
        self._run(
            "initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "-E", "UTF8",
            "--locale=C.UTF-8", *order,
        )  # fmt: skip

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")

    def stop(self, *, crash: bool = False) -> None:
        """End the server; `crash`: as if it had lost power, so that it has to recover when it starts again."""
        how = "immediate" if crash else "fast"
        self._run("pg_ctl", "-D", str(self._data), "-m", how, "-w", "stop")

    def url(self, schema: str | None = None) -> str:
        options = "" if schema is None else f"?options=-csearch_path%3D{schema}"
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres{options}"

    def new_schema(self) -> str:
        """The URL of a schema of its own, as good as a database and made in a moment."""
        schema = f"s{uuid.uuid4().hex}"
        self.execute(f"CREATE SCHEMA {schema}")
        return self.url(schema)

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.encode())

    def give_away(self, path: Path) -> None:
        """Let the server own a folder."""
        shutil.chown(path, self._user)

    def _run(self, name: str, *arguments: str) -> None:
        change = {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid}
        done = subprocess.run(  # type: ignore[call-overload]
            (_program(name), *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **(change if os.geteuid() == 0 else {}),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr or done.stdout}")


@contextmanager
def running() -> Iterator[Server]:
    """A server that serves until the end of the block. The test is skipped where there is no PostgreSQL."""
    if _program("initdb") is None:
        missing(LACKING)
    with started(like_people=True) as server:
        yield server


@contextmanager
def started(*, like_people: bool = False) -> Iterator[Server]:
    """The same, for benchmarks. Raises SystemExit where there is no PostgreSQL."""
    if _program("initdb") is None:
        raise SystemExit(LACKING)
    folder = Path(tempfile.mkdtemp(prefix="civic-postgres-"))
    try:
        server = Server(folder, like_people=like_people)
        server.start()
        try:
            yield server
        finally:
            server.stop(crash=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str | None:
    """The newest that Debian has installed, or the one on the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(installed[-1]) if installed else shutil.which(name)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
