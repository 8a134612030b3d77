"""Witnesses as processes of their own, and a witness that does anything but its duty."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from ledger.transparency.keys import VerifierKey
from tests.http.process import PROGRAM, environment
from tests.publishing import KEY

Answer = Callable[[bytes], tuple[int, str, bytes]]
"""A request's body → status, content type and body of the answer."""


class RealWitness(NamedTuple):
    """One that runs."""

    process: "subprocess.Popen[str]"
    key: VerifierKey
    url: str

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def witness(folder: Path, name: str, port: int = 0) -> Iterator[RealWitness]:
    """`civic-ledger witness serve`, with its key and state in the folder, for the log of `KEY`."""
    files = ("--key", str(folder / f"{name}.key"), "--state", str(folder / f"{name}.sqlite"))
    process = subprocess.Popen(
        [
            sys.executable, "-c", PROGRAM, "witness", "serve", "--name", f"{name}.example/w",
            "--port", str(port), "--log-vkey", KEY.verifier.vkey, *files,
        ],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        vkey, said = process.stdout.readline(), process.stdout.readline()
        found = re.search(r"http://\S+", said)
        if found is None:
            raise AssertionError(process.communicate()[1])
        yield RealWitness(process, VerifierKey.parse(vkey.rstrip("\n")), found[0])
    finally:
        process.kill()
        process.communicate()


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """The address of a server that answers every POST so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content_type, content = answer(body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/prefix/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
