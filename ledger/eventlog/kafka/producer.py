"""kafka-python's producer, with what it lacks: a commit that ends in time, and an end that does not wait."""

from contextlib import suppress

from kafka import KafkaProducer
from kafka.errors import (
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    ProducerFencedError,
)

FENCED = (ProducerFencedError, InvalidProducerEpochError)
"""What a producer is told after another one with its transactional id has come."""


class Producer(KafkaProducer):  # type: ignore[misc]
    """Uses what is private in kafka-python 3.0, whose own commit waits without limit, and which nothing ends then."""

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
