"""kafka-python, typed: the clients that a log needs, with the settings that were measured (design, section 6)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from ledger.eventlog.kafka.errors import reported
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
    """Makes clients for one log. `patience` is how many seconds a request may take at the most."""

    address: Address
    sign_in: SignIn
    patience: float

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
        with reported(self.address):
            return KafkaConsumer(
                **self._settings(),
                isolation_level="read_committed",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                auto_offset_reset="earliest",
                metrics_enabled=False,
                max_poll_records=PAGE,
                max_partition_fetch_bytes=4 * MAX_REQUEST,
                fetch_max_wait_ms=250,
                **settings,
            )

    def producer(self, transactional_id: str) -> Any:
        """kafka-python's producer in transactions, initialised: whoever had the id before is fenced."""
        with reported(self.address):
            producer = KafkaProducer(
                **self._settings(),
                transactional_id=transactional_id,
                transaction_timeout_ms=round(self.patience * 1000),
                delivery_timeout_ms=round(self.patience * 1000),
                max_block_ms=round(self.patience * 1000),
                allow_auto_create_topics=False,
                metrics_enabled=False,
                acks="all",
                linger_ms=0,
                batch_size=MAX_REQUEST // 2,
                max_request_size=MAX_REQUEST,
            )
            try:
                producer.init_transactions()
            except BaseException:
                producer.close(timeout=0)
                raise
            return producer

    def _settings(self) -> dict[str, Any]:
        milliseconds = round(self.patience * 1000)
        return {
            **_QUICK,
            **self.sign_in.settings(),
            "bootstrap_servers": list(self.address.servers),
            "bootstrap_timeout_ms": milliseconds,
            "request_timeout_ms": max(1_000, milliseconds // 2),
        }


def message(found: Any) -> Message:
    """kafka-python's record, typed."""
    return Message(found.offset, found.value, found.headers)
