"""Gathers cosignatures from the witnesses of a policy, all at once, within a time limit."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import Signature
from ledger.transparency.note import Note, parse_signatures
from ledger.transparency.policy import Party, Policy
from ledger.transparency.strict import decimal, utf8
from ledger.transparency.witnessing import ADD_CHECKPOINT, SIZE_TYPE, Submission
from projections.tree.cosigning import Cosigned, ProofFrom

GRACE = 0.3
"""Seconds for which more answers are waited for once there are enough."""

_TRIES = 3
"""Of one witness: the first finds out where it stands, another one where somebody else was faster."""

_MAX_ANSWER = 65_536
_logger = logging.getLogger(__name__)


class WitnessFailed(Exception):
    """A witness did not cosign. The message says why, in words that may be published."""


class PolicyUnusable(Exception):
    """The policy of witnesses cannot be read. The message says where and why."""


class HttpWitnesses:
    """The witnesses of a policy (`projections.tree.cosigning.Witnesses`). One that hangs is not asked meanwhile."""

    def __init__(self, policy: Policy, timeout: float) -> None:
        """`timeout`: seconds in which a witness must have answered."""
        self._policy = policy
        self._timeout = timeout
        self._asked = {name: _Asked(one, timeout) for name, one in policy.witnesses.items()}
        self._pools = {
            name: ThreadPoolExecutor(1, thread_name_prefix=f"witness {name}")
            for name in self._asked
        }
        self._pending: dict[str, Future[Signature]] = {}

    def cosign(self, note: Note, size: int, proof_from: ProofFrom) -> Cosigned:
        still = {name: one for name, one in self._pending.items() if not one.done()}
        missing = dict.fromkeys(still, "has not answered the last request yet")
        asked = {
            name: self._pools[name].submit(one.cosign, note, size, proof_from)
            for name, one in self._asked.items()
            if name not in still
        }
        self._pending = {**still, **asked}
        self._wait(list(asked.values()))
        signatures = []
        for name, future in asked.items():
            if not future.done():
                missing[name] = f"has not answered within {self._timeout:g} s"
            elif (error := future.exception()) is None:
                signatures.append(future.result())
            else:
                missing[name] = _told(name, error)
        return Cosigned(tuple(signatures), missing, self._too_few(signatures))

    def close(self) -> None:
        """Ask nobody any more."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _wait(self, asked: "list[Future[Signature]]") -> None:
        """Until all have answered, or enough have and a moment is over, or the time is up."""
        now = time.monotonic()
        until = now + self._timeout
        pending = set(asked)
        while pending and (now := time.monotonic()) < until:
            done = [one for one in asked if one.done() and one.exception() is None]
            if self._too_few([one.result() for one in done]) is None:
                wait(pending, timeout=min(GRACE, until - now))
                return
            _, pending = wait(pending, timeout=until - now, return_when=FIRST_COMPLETED)

    def _too_few(self, signatures: list[Signature]) -> str | None:
        made = {(one.name, one.key_id) for one in signatures}
        cosigners = [key for key in self._policy.witness_keys if (key.name, key.id) in made]
        try:
            self._policy.require(cosigners)
        except Unverified as error:
            return str(error)
        return None


class _Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


class _Asked:
    """One witness. Used from one thread at a time."""

    def __init__(self, party: Party, timeout: float) -> None:
        self._key = party.key
        self._connect = _connector(party.url, timeout)
        self._path = "" if party.url is None else urlsplit(party.url).path.rstrip("/")
        self._connection: HTTPConnection | None = None
        self._latest = 0
        """How many entries the checkpoint has that it cosigned last, as far as is known."""

    def cosign(self, note: Note, size: int, proof_from: ProofFrom) -> Signature:
        """Its cosignature, which is true. Raises `WitnessFailed`."""
        for _ in range(_TRIES):
            if self._latest > size:
                more, self._latest = self._latest, 0
                raise WitnessFailed(f"has cosigned {more:,} entries, more than these {size:,}")
            proof = tuple(proof_from(self._latest))
            answer = self._post(Submission(self._latest, proof, note.encode()).encode())
            if answer.status == 200:
                signature = self._signature(answer.body, note)
                self._latest = size
                return signature
            if answer.status != 409 or answer.content_type != SIZE_TYPE:
                raise WitnessFailed(f"answered with status {answer.status}")
            stands = _size(answer.body)
            if stands == self._latest:
                raise WitnessFailed(f"says that another tree of {stands:,} entries was signed")
            self._latest = stands
        raise WitnessFailed("stood somewhere else each time it was asked")

    def _signature(self, lines: bytes, note: Note) -> Signature:
        try:
            signatures = parse_signatures(utf8(lines, "cosignatures"), "cosignatures")
        except Malformed as error:
            raise WitnessFailed(f"answered with something else: {error}") from error
        for one in signatures:  # those by other keys say nothing
            if self._key.signed(note.text, one):
                return one
        raise WitnessFailed("gave no true cosignature by the key that the policy names")

    def _post(self, body: bytes) -> _Answer:
        try:
            return self._posted(body)
        except (OSError, HTTPException) as error:
            self._hang_up()
            if isinstance(error, TimeoutError):
                raise WitnessFailed("has not answered in time") from error
        try:  # what was kept open may have been closed by the other side
            return self._posted(body)
        except (OSError, HTTPException) as error:
            self._hang_up()
            raise WitnessFailed(f"cannot be reached: {type(error).__name__}") from error

    def _posted(self, body: bytes) -> _Answer:
        if self._connection is None:
            self._connection = self._connect()
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "civic-ledger"}
        self._connection.request("POST", self._path + ADD_CHECKPOINT, body, headers)
        response = self._connection.getresponse()
        data = response.read(_MAX_ANSWER)
        if not response.isclosed():
            self._hang_up()
        kind = response.headers.get_content_type()
        return _Answer(response.status, kind, data)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connector(url: str | None, timeout: float) -> Callable[[], HTTPConnection]:
    parts = urlsplit(url or "")

    def connect() -> HTTPConnection:
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise WitnessFailed("has no address in the policy that begins with http:// or https://")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname, parts.port, timeout=timeout)

    return connect


def _size(body: bytes) -> int:
    try:
        text = utf8(body, "size")
        if not text.endswith("\n"):
            raise Malformed("size", "does not end in a newline")
        return decimal(text[:-1], "size")
    except Malformed as error:
        raise WitnessFailed(f"answered with something else: {error}") from error


def _told(name: str, error: BaseException) -> str:
    if isinstance(error, WitnessFailed):
        return str(error)
    _logger.error("asking the witness %s failed: %s", name, type(error).__name__, exc_info=error)
    return "could not be asked"
