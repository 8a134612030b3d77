"""What Kafka says, in the words of the port."""

from collections.abc import Iterator
from contextlib import contextmanager

import kafka.errors as errors

from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import LogUnavailable, Misconfigured

MAY_NOT = (
    "{address}: this user may not do that ({error}). A reader needs Read and Describe on the topic and "
    "DescribeConfigs; the sequencer also Write on the topic, Write and Describe on the transactional id {topic!r}, "
    "and Read on the groups that begin with {topic!r}. The user is CIVIC_KAFKA_USERNAME."
)
SIGN_IN = (
    "{address}: the brokers did not let this user in ({error}). Check CIVIC_KAFKA_USERNAME, CIVIC_KAFKA_PASSWORD, "
    "CIVIC_KAFKA_MECHANISM and CIVIC_KAFKA_PROTOCOL."
)
TOO_LARGE = (
    "{address}: a record is too large for the topic ({error}). Raise the topic's max.message.bytes."
)
UNREACHABLE = (
    "{address}: Kafka cannot be reached, or did not answer in time ({error}). Check CIVIC_LOG and, if the brokers want "
    "encryption or a user, CIVIC_KAFKA_PROTOCOL, CIVIC_KAFKA_USERNAME and CIVIC_KAFKA_PASSWORD; it is tried again "
    "until it works."
)


class Superseded(Exception):
    """Another sequencer has taken over: nothing that this one sends can come into the log any more."""


class WrongTopic(Misconfigured):
    """The topic cannot be a log as it stands. The message says which setting to change."""


class RecordTooLarge(Misconfigured):
    """The topic does not take a record of this size."""


class HeldBack(LogUnavailable):
    """Records stand in the topic of which it is not known yet whether they were committed."""


class NotAllowed(Misconfigured):
    """The brokers do not let this user in, or do not let them do what is needed."""


_SUPERSEDED = (errors.ProducerFencedError, errors.InvalidProducerEpochError)
_SIGN_IN = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
)
_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)


@contextmanager
def reported(address: Address) -> Iterator[None]:
    """Turn what kafka-python raises into `LogUnavailable`, `NotAllowed` or `Superseded`."""
    try:
        yield
    except (errors.KafkaError, OSError) as error:
        raise translated(error, address) from error


def translated(error: BaseException, address: Address) -> Exception:
    """The error in the words of the port."""
    told = {"address": address, "topic": address.topic, "error": _said(error)}
    if isinstance(error, _SUPERSEDED):
        return Superseded(_said(error))
    if isinstance(error, errors.AuthorizationError):
        return NotAllowed(MAY_NOT.format(**told))
    if isinstance(error, _SIGN_IN):
        return NotAllowed(SIGN_IN.format(**told))
    if isinstance(error, _TOO_LARGE):
        return RecordTooLarge(TOO_LARGE.format(**told))
    return LogUnavailable(UNREACHABLE.format(**told))


def _said(error: BaseException) -> str:
    text = str(error).strip()
    return type(error).__name__ if not text else f"{type(error).__name__}: {text}"[:300]
