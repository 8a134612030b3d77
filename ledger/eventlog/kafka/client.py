"""kafka-python, typed: the clients that a log needs, with the settings that were measured (design, section 6)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.kafka.producer import Producer
from ledger.eventlog.kafka_address import Address, SignIn

Headers = Sequence[tuple[str, bytes]]

MAX_REQUEST = 1_048_576
"""Bytes of one request, and so of one batch of records."""

PAGE = 5_000
"""Records in memory at a time while reading."""

_QUICK = {
    # A broker that comes back is seen at once; by default a client may wait for half a minute.
    "reconnect_backoff_ms": 20,
    "reconnect_backoff_max_ms": 200,
    "retry_backoff_ms": 2,
}


class Message(NamedTuple):
    """A record as Kafka holds it."""

    offset: int
    value: bytes | None
    headers: Headers


class Clients(NamedTuple):
    """Makes clients for one log. `patience` is how many seconds a caller is kept waiting at the most."""

    address: Address
    sign_in: SignIn
    patience: float

    @property
    def step(self) -> float:
        """Seconds that one thing asked of the brokers may take.

        A part of the patience: a producer of kafka-python 3.0.12 that loses its coordinator may forget what it was
        about to ask, and another one has to ask again.
        """
        return max(1.0, min(3.0, self.patience / 3))

    @property
    def partition(self) -> Any:
        return TopicPartition(self.address.topic, 0)

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """kafka-python's admin client. Raises what `errors.reported` raises."""
        with reported(self.address):
            client = KafkaAdminClient(**self._settings())
            try:
                yield client
            finally:
                client.close()

    def consumer(self, **settings: Any) -> Any:
        """kafka-python's consumer: it reads what was committed, and keeps no position in Kafka."""
        ours = {
            **self._settings(),
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "allow_auto_create_topics": False,
            "auto_offset_reset": "earliest",
            "metrics_enabled": False,
            "max_poll_records": PAGE,
            "max_partition_fetch_bytes": 4 * MAX_REQUEST,
            "fetch_max_wait_ms": 250,
        }
        if "session_timeout_ms" in settings:  # who joins a group waits for a member that has died
            ours["request_timeout_ms"] = 2 * settings["session_timeout_ms"]
        with reported(self.address):
            return KafkaConsumer(**{**ours, **settings})

    def producer(self, transactional_id: str, largest: int) -> Producer:
        """A producer in transactions, initialised: whoever had the id before is fenced.

        No batch of its records takes more than `largest` bytes, if none of the records does.
        """
        step = round(self.step * 1000)
        with reported(self.address):
            producer = Producer(
                **self._settings(),
                transactional_id=transactional_id,
                transaction_timeout_ms=round(self.patience * 1000),
                delivery_timeout_ms=step,
                max_block_ms=step,
                allow_auto_create_topics=False,
                metrics_enabled=False,
                acks="all",
                linger_ms=0,
                batch_size=min(MAX_REQUEST // 2, largest),
                max_request_size=MAX_REQUEST,
            )
            try:
                producer.init_transactions()
            except BaseException:
                producer.abandon()
                raise
            return producer

    def _settings(self) -> dict[str, Any]:
        step = round(self.step * 1000)
        return {
            **_QUICK,
            **self.sign_in.settings(),
            "bootstrap_servers": list(self.address.servers),
            "bootstrap_timeout_ms": step,
            "request_timeout_ms": step,
        }


def message(found: Any) -> Message:
    """kafka-python's record, typed."""
    return Message(found.offset, found.value, found.headers)
