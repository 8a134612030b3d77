"""One table: what each error means to a caller over HTTP (RFC 9457) and on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from ledger.codec import UnknownEvent
from ledger.domain.counting.libraries import CountingLibraryMissing
from ledger.domain.refusals import Reason, Refused
from ledger.eventlog.port import DamagedLog, LogUnavailable, StandsBy
from ledger.vault.keys import VaultError
from projections.queries import InTheFuture, NoSuchPage, NotFound, StillSealed
from projections.stores.port import NothingToBringBack, StoreUnavailable
from projections.tree.checking import Parted
from projections.tree.last_signed import LastSignedUnavailable
from projections.worker import ModelsHalted
from services.signing_keys import KeysUnavailable
from services.witness.store import WitnessUnavailable
from services.witnesses import PolicyUnusable

EXPLAINED_AT = "/problems/"
"""Here, with the name of its type, each meaning has a page that explains it."""


class Meaning(NamedTuple):
    """`type` is stable; `status` is of HTTP, `exit_code` of a process."""

    type: str
    title: str
    status: int
    exit_code: int


class Fault(StrEnum):
    """What can be wrong with a request before the rules of the domain are asked. The names are stable."""

    TOKEN_MISSING = "token-missing"  # noqa: S105
    TOKEN_UNKNOWN = "token-unknown"  # noqa: S105
    NOT_ALLOWED = "not-allowed"
    UNKNOWN_IDENTITY = "unknown-identity"
    NO_SUCH_PATH = "no-such-path"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    NOT_ACCEPTABLE = "not-acceptable"
    BODY_TOO_LARGE = "body-too-large"
    WRONG_CONTENT_TYPE = "wrong-content-type"
    MALFORMED_JSON = "malformed-json"
    INVALID_REQUEST = "invalid-request"
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused"
    NOT_VISIBLE_YET = "not-visible-yet"
    NOT_PUBLISHED_YET = "not-published-yet"
    INTERNAL = "internal-error"


class Wrong(NamedTuple):
    """One thing that is wrong with a request: where (a path with dots, None for all of it), and why."""

    field: str | None
    reason: str


class RequestFault(Exception):
    """A request that cannot be carried out as it stands. Nothing was changed."""

    def __init__(
        self,
        fault: Fault,
        detail: str,
        field: str | None = None,
        *,
        errors: Sequence[Wrong] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.fault = fault
        self.field = field
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class CannotListen(Exception):
    """The server's address cannot be used. Name another one, or end what uses it."""


_FAULTS: dict[Fault, tuple[str, int]] = {
    Fault.TOKEN_MISSING: ("A bearer token is needed", 401),
    Fault.TOKEN_UNKNOWN: ("This token is not known", 401),
    Fault.NOT_ALLOWED: ("This token may not do that", 403),
    Fault.UNKNOWN_IDENTITY: ("Nobody is known by this identity", 404),
    Fault.NO_SUCH_PATH: ("There is nothing at this address", 404),
    Fault.METHOD_NOT_ALLOWED: ("This address does not take this method", 405),
    Fault.NOT_ACCEPTABLE: ("It is not given in such a format", 406),
    Fault.BODY_TOO_LARGE: ("The body is too large", 413),
    Fault.WRONG_CONTENT_TYPE: ("The body is not of type application/json", 415),
    Fault.MALFORMED_JSON: ("The body is not JSON", 400),
    Fault.INVALID_REQUEST: ("The request is not well formed", 422),
    Fault.IDEMPOTENCY_KEY_REUSED: ("This key belongs to another command", 422),
    Fault.NOT_PUBLISHED_YET: ("No checkpoint covers this yet", 404),
    Fault.NOT_VISIBLE_YET: ("The read models have not come that far", 504),
    Fault.INTERNAL: ("Something went wrong here", 500),
}

_MEANINGS: dict[type[Exception], Meaning] = {
    NoSuchPage: Meaning("no-such-page", "The list ends before this page", 404, 1),
    InTheFuture: Meaning("in-the-future", "The log has not come that far", 404, 1),
    NotFound: Meaning("not-found", "There is no such thing", 404, 1),
    StillSealed: Meaning("still-sealed", "The results are not public yet", 409, 1),
    CountingLibraryMissing: Meaning("rule-unavailable", "This rule is not installed", 501, 3),
    ModelsHalted: Meaning("models-halted", "Read models stand still", 503, 3),
    UnknownEvent: Meaning("unknown-event", "The log is of a newer version", 503, 3),
    DamagedLog: Meaning("damaged-log", "The log is damaged", 503, 3),
    StandsBy: Meaning("stands-by", "Another server takes the commands", 503, 3),
    LogUnavailable: Meaning("log-unavailable", "The log cannot be reached", 503, 3),
    StoreUnavailable: Meaning("store-unavailable", "The read models cannot be reached", 503, 3),
    NothingToBringBack: Meaning("nothing-to-bring-back", "No former generation is kept", 409, 1),
    VaultError: Meaning("vault-unavailable", "The vault cannot be used", 503, 3),
    Parted: Meaning("log-parted", "The log is not the one that was signed", 503, 3),
    LastSignedUnavailable: Meaning(
        "last-signed-unavailable", "What was signed last cannot be looked up", 503, 3
    ),
    KeysUnavailable: Meaning("keys-unavailable", "A signing key cannot be used", 503, 3),
    PolicyUnusable: Meaning("policy-unusable", "The policy of witnesses cannot be used", 503, 3),
    WitnessUnavailable: Meaning("witness-unavailable", "The witness cannot keep anything", 503, 3),
    CannotListen: Meaning("cannot-listen", "The address cannot be used", 503, 3),
}

_FORBIDDEN = {Reason.NOT_ON_THE_ROLL, Reason.NOT_YOURS}
_ILLEGAL = {
    Reason.ILLEGAL_MARKS,
    Reason.CONTRADICTORY_QUESTION,
    Reason.WRONG_KIND_OF_AREA,
    Reason.ENTRY_TOO_LARGE,
}

KNOWN_ERRORS: tuple[type[Exception], ...] = (Refused, RequestFault, *_MEANINGS)
"""Errors that are told to the caller; any other one is a bug."""


def meaning(error: Exception) -> Meaning:
    """Raises KeyError for an error that is not one of `KNOWN_ERRORS`."""
    if isinstance(error, Refused):
        return Meaning(error.reason.value, "The rules do not allow this", _status(error.reason), 1)
    if isinstance(error, RequestFault):
        return _meaning_of_fault(error.fault)
    for kind, found in _MEANINGS.items():
        if isinstance(error, kind):
            return found
    raise KeyError(type(error).__name__)


def meanings() -> Iterator[Meaning]:
    """All there are, each once."""
    told = {
        one.type: one
        for one in (
            *(meaning(Refused(reason, "")) for reason in Reason),
            *(_meaning_of_fault(fault) for fault in Fault),
            *_MEANINGS.values(),
        )
    }
    return iter(told.values())


def _meaning_of_fault(fault: Fault) -> Meaning:
    title, status = _FAULTS[fault]
    return Meaning(fault.value, title, status, 1)


def _status(reason: Reason) -> int:
    if reason.value.startswith("unknown-"):
        return 404
    if reason in _FORBIDDEN:
        return 403
    return 422 if reason in _ILLEGAL else 409
