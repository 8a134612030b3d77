"""One process that serves everything: API, pages, and the threads that keep the read models up to date."""

import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from services.api.application import application
from services.assembly import System, assembled
from services.errors import CannotListen
from services.logs import write_logs
from services.settings import Settings
from services.tokens import build_sample_town, tell_operators_token
from services.upkeep import Upkeep

SWITCH_INTERVAL = 0.001
"""Seconds for which a folding thread may keep the interpreter from the one that answers requests."""

SHUTDOWN_PATIENCE = 5
BACKLOG = 2048

_logger = logging.getLogger(__name__)


def run(settings: Settings, *, sample_town: bool) -> None:
    """Serve until SIGINT or SIGTERM; `sample_town` fills an empty ledger with a made-up town first.

    Raises `CannotListen`, and what `assembled` raises.
    """
    write_logs(settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL)
    with (
        _bound(settings.host, settings.port) as listener,
        assembled(settings, verify=True) as system,
    ):
        if sample_town and system.log.head() == 0:
            build_sample_town(system, _say)
        upkeep = Upkeep(system)
        server = _Server(application(system, upkeep), system, listener)
        with upkeep.running(), _stopped_by_signals():
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says where it listens once it does, and the operator's token at the first start."""

    def __init__(self, app: ASGIApp, system: System, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_PATIENCE,
        )
        super().__init__(config)
        self._vault = system.vault
        self._address = _address(listener)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        tell_operators_token(self._vault, _say)
        _say(f"Listening on {self._address}")


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(f"{host} port {port}: {error.strerror or error}") from error
    with listener:
        if not _is_loopback(listener):
            _logger.warning(
                "listening on %s, which others can reach: put a proxy with TLS in front", host
            )
        yield listener


def _is_loopback(listener: socket.socket) -> bool:
    return ip_address(listener.getsockname()[0]).is_loopback


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """The server raises a signal that stopped it once more at its end; then it must not kill us while we tidy up."""
    before = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
