"""What a topic must be to hold a log (design, section 6), and the making of one that is."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from kafka.admin import ConfigResource, ConfigResourceType

from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.errors import NotAllowed, WrongTopic

LASTING: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "unclean.leader.election.enable": "false",
}
COPIES = 3
COPIES_IN_STEP = 2
"""A record is answered for once it is on so many brokers (`min.insync.replicas`)."""

LARGEST_ENTRY = 65_535
_HEADERS = 8_192
"""Bytes for the tags and the rest that comes with an entry."""


class Topic(NamedTuple):
    """A topic that holds a log."""

    id: str
    """Another topic of the same name has another one."""
    max_message_bytes: int
    weaknesses: tuple[str, ...]
    """What is weaker than a log that must last needs."""


def checked(clients: Clients, *, production: bool) -> Topic:
    """The topic of a log.

    Raises `WrongTopic` for one that cannot hold a log or, in production, one that is too weak; `NotAllowed`;
    `LogUnavailable`.
    """
    address = clients.address
    with clients.admin() as admin:
        (found,) = admin.describe_topics([address.topic])
        if found["error_code"] == _UNKNOWN:
            # The broker that was asked may hear of it in a moment.
            time.sleep(_HEARD_AFTER)
            (found,) = admin.describe_topics([address.topic])
        partitions = found["partitions"]
        if not partitions:
            if found["error_code"] == _NOT_ALLOWED:
                raise NotAllowed(
                    f"{address}: this user may not even see the topic. Grant Describe and Read on it to "
                    "CIVIC_KAFKA_USERNAME."
                )
            raise WrongTopic(
                f"{address}: there is no such topic. Correct CIVIC_LOG, or make it with one partition and "
                f"{_listed(LASTING)}, {COPIES} copies and min.insync.replicas={COPIES_IN_STEP}."
            )
        if len(partitions) != 1:
            raise WrongTopic(
                f"{address}: the topic has {len(partitions)} partitions, but one log is one partition. Make "
                "another topic and name it in CIVIC_LOG; partitions cannot be taken away."
            )
        settings = _settings(admin, address.topic)
    weaknesses = _weaknesses(settings, len(partitions[0]["replica_nodes"]))
    if production and weaknesses:
        raise WrongTopic(
            f"{address}: too weak for CIVIC_PROFILE=production: {'; '.join(weaknesses)}. Change the topic (and "
            "its number of copies by a reassignment of replicas)."
        )
    return Topic(str(found["topic_id"]), int(settings["max.message.bytes"]), weaknesses)


def _settings(admin: Any, topic: str) -> dict[str, str]:
    told = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
    )
    return {name: one["value"] for name, one in told["topic"][topic].items()}


def _weaknesses(settings: Mapping[str, str], copies: int) -> tuple[str, ...]:
    found = [
        f"{name} is {settings[name]}, must be {wanted}"
        for name, wanted in LASTING.items()
        if settings[name] != wanted
    ]
    if copies < COPIES:
        found.append(f"it has {copies} of at least {COPIES} copies (replication factor)")
    if int(settings["min.insync.replicas"]) < COPIES_IN_STEP:
        found.append(
            f"min.insync.replicas is {settings['min.insync.replicas']}, must be at least {COPIES_IN_STEP}"
        )
    if int(settings["max.message.bytes"]) < LARGEST_ENTRY + _HEADERS:
        found.append(
            f"max.message.bytes is {settings['max.message.bytes']}, must be at least {LARGEST_ENTRY + _HEADERS}"
        )
    return tuple(found)


def _listed(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


_UNKNOWN, _NOT_ALLOWED = 3, 29
"""UNKNOWN_TOPIC_OR_PARTITION and TOPIC_AUTHORIZATION_FAILED, in Kafka's protocol."""

_HEARD_AFTER = 0.5
"""Seconds."""
