"""A record in Kafka: the entry is its value; position and tags are headers, and so is what the index needs.

An entry is a CloudEvent in structured mode (the Kafka protocol binding of CloudEvents 1.0, section 3.3): its
bytes bind type, time and id.
"""

import logging
from typing import NamedTuple

import orjson

from ledger.eventlog.kafka.client import Headers, Message
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import DamagedLog, NewEvent

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"

_AROUND = 250
"""Bytes of a batch and a record beside the entry and what the headers tell of the event."""

OPENING = "opening"
"""The header of a record that says nothing: its transaction had to end (`writing.Epoch.open`)."""

_logger = logging.getLogger(__name__)


class Kept(NamedTuple):
    """A record of the log, and where it stands in the topic."""

    position: int
    offset: int
    event: NewEvent


def headers(position: int, event: NewEvent) -> list[tuple[str, bytes]]:
    found = [
        ("content-type", CONTENT_TYPE),
        ("position", b"%d" % position),
        ("type", event.type.encode()),
        ("tags", orjson.dumps(event.tags)),
    ]
    if event.id is not None:
        found.append(("id", event.id.encode()))
    return found


def size(event: NewEvent) -> int:
    """The bytes that a record takes in the topic, at the most."""
    told = f"{event.type}{event.id or ''}".encode()
    return len(event.entry) + len(told) + len(orjson.dumps(event.tags)) + _AROUND


def kept(message: Message) -> Kept | None:
    """The record of the log that a message holds; None for one that is not of the log's making."""
    told = _told(message.headers)
    if told is None or message.value is None:
        return None
    position, type_, tags, id_ = told
    return Kept(position, message.offset, NewEvent(type_, message.value, tags, id_))


def position_in(headers: Headers) -> int | None:
    """The position of a record of the log, by its headers."""
    told = _told(headers)
    return None if told is None else told[0]


def _told(headers: Headers) -> tuple[int, str, tuple[str, ...], str | None] | None:
    found = dict(headers)
    try:
        position, type_, tags = found["position"], found["type"].decode(), found["tags"]
        id_ = found["id"].decode() if "id" in found else None
        named = orjson.loads(tags)
    except (AttributeError, KeyError, ValueError):  # Kafka knows headers without a value
        return None
    if position is None or not position.isdigit() or position.startswith(b"0"):
        return None
    if type(named) is not list:
        return None
    for one in named:
        if type(one) is not str:
            return None
    return int(position), type_, tuple(named), id_


class InOrder:
    """Lets the records of the log pass in order. Skips what is of others, and says so."""

    def __init__(self, address: Address, after: int) -> None:
        self._address = address
        self.position = after
        self.intruders: list[int] = []
        """The offsets of what was skipped."""

    def next(self, message: Message) -> Kept | None:
        """The record, if the message is one of the log. Raises `DamagedLog` for a missing or repeated position."""
        record = kept(message)
        if record is None:
            if any(name == OPENING for name, _ in message.headers):
                return None
            self.intruders.append(message.offset)
            _logger.error(
                "%s: the record at offset %d is not of the log's making; it is skipped. Only the sequencer may "
                "write to the topic: see its access rules",
                self._address,
                message.offset,
            )
            return None
        if record.position != self.position + 1:
            what = "is repeated" if record.position <= self.position else "comes too early"
            raise DamagedLog(
                f"{self._address}: at offset {message.offset} stands position {record.position:,}, which {what}: "
                f"{self.position + 1:,} should be there. Somebody else has written to the topic, or a part of it "
                "is lost. Stop the sequencer, compare with a replica or a public copy, and restore the topic."
            )
        self.position = record.position
        return record
