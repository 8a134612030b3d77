"""Event ↔ the canonical bytes of its entry (CloudEvents 1.0 JSON; design, section 4), and upcasters."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import orjson
from pydantic import ValidationError

from ledger.domain.catalogue import EVENT_BY_TYPE
from ledger.domain.event import Event, Payload
from ledger.domain.refusals import Reason, Refused

MAX_ENTRY = 65_535
"""Bytes: the limit of an entry in a C2SP tlog-tiles bundle."""

Upcaster = Callable[[Payload], Payload]
UPCASTERS: Mapping[str, tuple[str, Upcaster]] = {}
"""Old type → (the next version's type, a pure function that lifts the old payload to it)."""


class UnknownEvent(Exception):
    """The log holds an event that this version cannot read. Install a version that knows its type."""


class Entry(NamedTuple):
    """One event as read from its entry."""

    id: str
    type: str
    time: str
    subject: str
    event: Event


def encode(event: Event, *, event_id: str, source: str, time: str) -> bytes:
    """The entry's bytes: encoded once, never again. Raises `Refused` above `MAX_ENTRY` bytes."""
    entry = orjson.dumps(
        {
            "data": event.model_dump(exclude_none=True),
            "datacontenttype": "application/json",
            "id": event_id,
            "source": source,
            "specversion": "1.0",
            "subject": event.subject,
            "time": time,
            "type": event.type,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    if len(entry) > MAX_ENTRY:
        raise Refused(
            Reason.ENTRY_TOO_LARGE,
            f"The entry would take {len(entry):,} bytes; at most {MAX_ENTRY:,} fit. Shorten its texts, "
            "or publish the long ones elsewhere and name them by their SHA-256.",
        )
    return entry


def decode(entry: bytes) -> Entry:
    """The event that an entry holds, lifted to the latest version of its type.

    Raises `UnknownEvent` for a type or a content that this version does not know.
    """
    envelope = orjson.loads(entry)
    type_, data = envelope["type"], envelope["data"]
    while type_ in UPCASTERS:
        type_, lift = UPCASTERS[type_]
        data = lift(data)
    model = EVENT_BY_TYPE.get(type_)
    if model is None:
        raise UnknownEvent(f"event {envelope['id']}: there is no type {type_!r} in the catalogue")
    try:
        event = model.model_validate(data)
    except ValidationError as error:
        raise UnknownEvent(f"event {envelope['id']} of type {type_!r}: {error}") from error
    return Entry(envelope["id"], type_, envelope["time"], envelope["subject"], event)
