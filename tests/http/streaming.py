"""A town on a real port, and a client that reads server-sent events from it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import orjson
import uvicorn
from starlette.types import ASGIApp


class Sent(NamedTuple):
    """One event as it came."""

    id: int
    event: str
    data: Any


class Stream:
    """Reads events as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next(self) -> Sent:
        """The next event that has data. Raises StopIteration at the end, `httpx.ReadTimeout` where none comes."""
        told: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                told[name] = value
            elif "data" in told:
                return Sent(int(told["id"]), told["event"], orjson.loads(told["data"]))
        raise StopIteration


class Listening(NamedTuple):
    address: str

    @contextmanager
    def stream(self, path: str, last: int | None = None, timeout: float = 5.0) -> Iterator[Stream]:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        url = f"{self.address}/api/v1/{path}"
        with httpx.stream("GET", url, headers=headers, timeout=timeout) as response:
            assert response.status_code == 200, response.read()
            yield Stream(response)


@contextmanager
def listening(app: ASGIApp) -> Iterator[Listening]:
    """The application on a free port, in a thread of its own."""
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Listening(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(10)
