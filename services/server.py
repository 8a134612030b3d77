"""One process that serves everything: API, pages, and the threads that keep the read models up to date."""

import logging
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from ledger.eventlog.kafka_address import SCHEME
from ledger.eventlog.port import LogUnavailable, Misconfigured
from projections.catalogue import all_projections
from projections.watch import Watch
from services.api.application import application
from services.assembly import System, assembled, publishing
from services.errors import CannotListen
from services.logs import write_logs
from services.publication import Publication
from services.settings import Settings
from services.tokens import build_sample_town, tell_operators_token
from services.upkeep import Upkeep

SWITCH_INTERVAL = 0.001
"""Seconds for which a folding thread may keep the interpreter from the one that answers requests."""

SHUTDOWN_PATIENCE = 5
BACKLOG = 2048
REACH_PAUSE = 1.0
"""Seconds until a log that could not be reached is tried again."""

TURN_PATIENCE = 1.0
"""Seconds that a command waits where another server takes the commands: it may have just ended."""

_logger = logging.getLogger(__name__)


def run(settings: Settings, *, sample_town: bool, standby: bool, folds: bool = True) -> None:
    """Serve until SIGINT or SIGTERM; `sample_town` fills an empty ledger with a made-up town first.

    Only one server takes the commands for a log on Kafka; `standby` waits for its turn, and serves readers meanwhile.
    One that does not fold leaves the read models to workers in other processes.
    Raises `CannotListen`, and what `assembled` raises, but that it waits for a log that cannot be reached.
    """
    write_logs(settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL)
    with (
        _bound(settings.host, settings.port) as listener,
        _reached(settings) as system,
    ):
        if not (standby or system.log.claim(settings.patience)):
            raise LogUnavailable(
                f"{settings.log}: another process takes the commands for this log. Start this one with --standby: it "
                "takes over when the other one ends."
            )
        system.log.election_patience = TURN_PATIENCE
        if sample_town and system.log.head() == 0:
            build_sample_town(system, _say)
        with publishing(settings, system.log, system.public) as tree:
            publication = Publication(system, tree)
            worker = system.worker if folds else Watch(system.store, all_projections())
            upkeep = Upkeep(system, worker=worker, also=publication.jobs())
            server = _Server(application(system, upkeep, publication), system, listener)
            with upkeep.running(), _stopped_by_signals():
                server.run(sockets=[listener])


@contextmanager
def _reached(settings: Settings) -> Iterator[System]:
    """The system; where its log is out of reach, once that is over."""
    with ExitStack() as stack:
        while True:
            try:
                system = stack.enter_context(assembled(settings, verify=True))
                break
            except LogUnavailable as error:
                if isinstance(error, Misconfigured) or not settings.log.startswith(SCHEME):
                    raise
                _logger.error("%s", error)
                time.sleep(REACH_PAUSE)
        yield system


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
