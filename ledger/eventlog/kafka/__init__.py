"""The log on Kafka. As a persistence module of eventsourcing it gives `DCBApplication`s a recorder."""

from ledger.eventlog.kafka.factory import KafkaFactory

__all__ = ["KafkaFactory"]
