"""One table: what each error means to a caller over HTTP (RFC 9457) and on the command line."""

from typing import NamedTuple

from ledger.codec import UnknownEvent
from ledger.domain.counting.libraries import CountingLibraryMissing
from ledger.domain.refusals import Reason, Refused
from ledger.eventlog.port import DamagedLog, LogUnavailable
from ledger.vault.keys import VaultError
from projections.queries import NotFound, StillSealed
from projections.stores.port import StoreUnavailable
from projections.worker import ModelsHalted


class Meaning(NamedTuple):
    """`type` is stable; `status` is of HTTP, `exit_code` of a process."""

    type: str
    title: str
    status: int
    exit_code: int


_MEANINGS: dict[type[Exception], Meaning] = {
    NotFound: Meaning("not-found", "There is no such thing", 404, 1),
    StillSealed: Meaning("still-sealed", "The results are not public yet", 409, 1),
    CountingLibraryMissing: Meaning("rule-unavailable", "This rule is not installed", 501, 3),
    ModelsHalted: Meaning("models-halted", "Read models stand still", 503, 3),
    UnknownEvent: Meaning("unknown-event", "The log is of a newer version", 503, 3),
    DamagedLog: Meaning("damaged-log", "The log is damaged", 503, 3),
    LogUnavailable: Meaning("log-unavailable", "The log cannot be reached", 503, 3),
    StoreUnavailable: Meaning("store-unavailable", "The read models cannot be reached", 503, 3),
    VaultError: Meaning("vault-unavailable", "The vault cannot be used", 503, 3),
}

_FORBIDDEN = {Reason.NOT_ON_THE_ROLL, Reason.NOT_YOURS}
_ILLEGAL = {
    Reason.ILLEGAL_MARKS,
    Reason.CONTRADICTORY_QUESTION,
    Reason.WRONG_KIND_OF_AREA,
    Reason.ENTRY_TOO_LARGE,
}

KNOWN_ERRORS: tuple[type[Exception], ...] = (Refused, *_MEANINGS)
"""Errors that are told to the caller; any other one is a bug."""


def meaning(error: Exception) -> Meaning:
    """Raises KeyError for an error that is not one of `KNOWN_ERRORS`."""
    if isinstance(error, Refused):
        return Meaning(error.reason.value, "The rules do not allow this", _status(error.reason), 1)
    for kind, found in _MEANINGS.items():
        if isinstance(error, kind):
            return found
    raise KeyError(type(error).__name__)


def _status(reason: Reason) -> int:
    if reason.value.startswith("unknown-"):
        return 404
    if reason in _FORBIDDEN:
        return 403
    return 422 if reason in _ILLEGAL else 409
