"""(d) HTTP: choices a second at 64 connections, beside an empty handler of the same framework and server."""

import asyncio
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import orjson

from services.assembly import assembled
from tests.benchmarks.measuring import Figure, Report
from tests.benchmarks.sample import budget, choice, city, settings

CONNECTIONS = 64
SECONDS = 5.0
CITIZENS = 3_000
ROUNDS = 3

EMPTY = """
import socket, sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.put("/empty")
async def empty() -> dict[str, int]:
    return {}
listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
print("Listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="error")
uvicorn.Server(config).run(sockets=[listener])
"""

SERVE = "from services.cli.main import main; main()"


def http(report: Report) -> None:
    folder = Path(tempfile.mkdtemp(prefix="civic-bench-"))
    try:
        requests = _choices(folder)
        _measure(report, ", read models in a worker's process", requests, _apart(folder))
        _measure(report, ", all in one process", requests, serving(serve(), variables(folder)))
    finally:
        shutil.rmtree(folder)


def _measure(
    report: Report, how: str, requests: list[bytes], server: AbstractContextManager[int]
) -> None:
    empty, ours = [], []
    with serving(["-c", EMPTY], {}) as bare, server as port:
        for _ in range(ROUNDS):
            empty.append(_load(bare, [_request("/empty", b"{}", "none")], expect=(200,)))
            ours.append(_load(port, requests, expect=(200, 201)))
    peer, value = statistics.median(empty), statistics.median(ours)
    name, beside = f"HTTP choices, {CONNECTIONS} connections{how}", f"empty handler: {peer:,.0f}/s"
    report.add(Figure(name, value, "/s", beside, value / peer, target=0.25))


@contextmanager
def _apart(folder: Path) -> Iterator[int]:
    """A server, and a worker that keeps its read models up to date."""
    environment = {**os.environ, **variables(folder)}
    with serving(serve("--no-fold"), variables(folder)) as port:
        worker = subprocess.Popen(
            [sys.executable, "-c", SERVE, "project", "--follow"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield port
        finally:
            worker.terminate()
            worker.wait()


def _choices(folder: Path) -> list[bytes]:
    """One request for each citizen, with their own token."""
    chance = random.Random(7)
    with assembled(settings(folder)) as parts:
        citizens = city(parts, CITIZENS)
        budget(parts, "bench")
        requests = []
        for citizen in citizens:
            token = parts.vault.issue_token("citizen", citizen)
            body = orjson.dumps({"marks": choice(citizen, "bench", chance).marks})
            requests.append(_request("/api/v1/questions/bench/choice", body, token))
    return requests


def _request(path: str, body: bytes, token: str) -> bytes:
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def serve(*options: str) -> list[str]:
    return ["-c", SERVE, "serve", "--port", "0", *options]


def variables(folder: Path) -> dict[str, str]:
    chosen = settings(folder)
    return {"CIVIC_LOG": chosen.log, "CIVIC_STORE": chosen.store, "CIVIC_VAULT": chosen.vault}


@contextmanager
def serving(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[int]:
    """A server in a process of its own; its port."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"Listening on http://127\.0\.0\.1:(\d+)", line):
                yield int(found[1])
                break
        else:
            raise SystemExit("the server did not start")
    finally:
        process.terminate()
        process.wait()


def _load(port: int, requests: Sequence[bytes], expect: tuple[int, ...]) -> float:
    """Answers a second, sending the requests in turn on all connections. Any other status is an error."""
    return asyncio.run(_send(port, requests, expect))


async def _send(port: int, requests: Sequence[bytes], expect: tuple[int, ...]) -> float:
    done = 0
    until = time.perf_counter() + SECONDS
    turn = iter(range(10**9))
    wanted = tuple(f"HTTP/1.1 {status} ".encode() for status in expect)

    async def connection() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            writer.write(requests[next(turn) % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            if not head.startswith(wanted):
                raise SystemExit(f"{head.decode()}{body.decode()}")
            done += 1
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return done / (time.perf_counter() - started)
