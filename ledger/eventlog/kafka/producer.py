"""kafka-python's producer, with what it lacks: many records at once, a commit that ends in time, an end at once."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import (
    IllegalStateError,
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    ProducerFencedError,
)
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder

FENCED = (ProducerFencedError, InvalidProducerEpochError)
"""What a producer is told after another one with its transactional id has come."""

Written = tuple[bytes, Sequence[tuple[str, bytes]]]
"""A record's value and its headers."""

_FORMAT = 2
"""The only format of records that knows transactions."""


class Producer(KafkaProducer):  # type: ignore[misc]
    """Uses what is private in kafka-python 3.0, whose own commit waits without limit, and which nothing ends then."""

    def send_within(
        self, partition: Any, records: Sequence[Written], seconds: float
    ) -> tuple[int, int]:
        """Send records to a `TopicPartition`. The offsets of the first and the last one, once the brokers hold them.

        `send` takes three times as long: it makes each record a future, and wakes the sender's thread before the
        batch is full. Raises `KafkaError`.
        """
        until = time.monotonic() + seconds
        batches = self._hand_over(partition, records)
        for batch in batches:
            if not batch.produce_future.wait(max(0.001, until - time.monotonic())):
                raise KafkaTimeoutError(f"records were not taken within {seconds:.1f} seconds")
            _, _, error_of = batch.produce_future.value
            if error_of is not None:
                raise error_of(0)
        (first, *_), (last, *_) = (batches[at].produce_future.value for at in (0, -1))
        return first, last + batches[-1].record_count - 1

    def _hand_over(self, partition: Any, records: Sequence[Written]) -> list[Any]:
        """Put records where the sender's thread finds them, in as few batches as they fit into."""
        if self._metadata.partitions_for_topic(partition.topic) is None:
            self._wait_on_metadata(partition.topic, self.config["max_block_ms"])
        self._transaction_manager.maybe_add_partition_to_transaction(partition)
        now, batches = round(time.time() * 1000), list[Any]()
        with self._accumulator._tp_lock(partition):
            if self._accumulator._closed:
                raise IllegalStateError("the producer is closed")
            for value, headers in records:
                if not batches or batches[-1].records.append(now, None, value, headers) is None:
                    batches.append(self._new_batch(partition))
                    batches[-1].records.append(now, None, value, headers)  # the first always fits
            for batch in batches:
                self._accumulator._incomplete.add(batch)
            self._accumulator._batches[partition].extend(batches)
        self._sender.wakeup()
        return batches

    def _new_batch(self, partition: Any) -> ProducerBatch:
        return ProducerBatch(partition, MemoryRecordsBuilder(_FORMAT, 0, self.config["batch_size"]))

    def commit_within(self, seconds: float) -> None:
        """Commit the transaction. Raises `KafkaTimeoutError`: then nothing is known of it."""
        committed = self._transaction_manager.begin_commit()
        self._sender.wakeup()
        if not committed.wait(seconds * 1000):
            raise KafkaTimeoutError(f"a commit was not answered within {seconds:.1f} seconds")

    @property
    def fenced(self) -> Exception | None:
        """Why it may not write any more, if it may not."""
        error = self._transaction_manager.last_error
        return error if isinstance(error, FENCED) else None

    def abandon(self) -> None:
        """End now: what was not sent is not sent, and nobody waits for answers."""
        self._sender.force_close()  # `close` would first wait for what was sent
        with suppress(KafkaError):
            self.close(timeout=0)
