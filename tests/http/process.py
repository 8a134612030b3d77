"""The server as a process of its own, started by the command line on a free port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

PROGRAM = "from services.cli.main import main; main()"
ROOT = Path(__file__).parents[2]
STARTED = re.compile(r"Listening on (http://\S+)")


class Server(NamedTuple):
    process: subprocess.Popen[str]
    address: str
    said: list[str]
    """The lines on standard output up to the address."""

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=10)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """The exit code, and what was written to standard error."""
        self.process.send_signal(with_signal)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def environment(folder: Path) -> dict[str, str]:
    places = {name: f"sqlite:///{folder}/{name.lower()}.sqlite" for name in ("LOG", "STORE")}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CIVIC_")},
        "PYTHONPATH": str(ROOT),
        "CIVIC_VAULT": f"sqlite:///{folder}/vault.sqlite",
        **{f"CIVIC_{name}": url for name, url in places.items()},
    }


@contextmanager
def serving(
    folder: Path, *arguments: str, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server on the ledger in the folder, which answers. `more` are variables of its environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0", *arguments],
        env={**environment(folder), **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield _started(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _started(process: subprocess.Popen[str]) -> Server:
    assert process.stdout is not None
    said: list[str] = []
    until = time.monotonic() + 60
    while time.monotonic() < until:
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate()[1])
        said.append(line.rstrip())
        if found := STARTED.search(line):
            return Server(process, found[1], said)
    raise AssertionError("the server did not say where it listens")
