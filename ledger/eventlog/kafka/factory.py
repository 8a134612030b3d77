"""Lets any `DCBApplication` of eventsourcing use a log on Kafka: `PERSISTENCE_MODULE=ledger.eventlog.kafka`."""

from pathlib import Path
from typing import Any, get_args

from eventsourcing.dcb.api import DCBRecorder
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import InfrastructureFactoryError, TrackingRecorder
from eventsourcing.utils import Environment, EnvType

from ledger.eventlog.kafka.log import PATIENCE, KafkaLog
from ledger.eventlog.kafka_address import SCHEME, Address, Mechanism, Protocol, SignIn


class KafkaFactory(DCBInfrastructureFactory[TrackingRecorder]):
    """Reads `KAFKA_BOOTSTRAP_SERVERS`, `KAFKA_TOPIC` and `KAFKA_REPLICA` (the replica's path).

    And, where the brokers want it: `KAFKA_PROTOCOL`, `KAFKA_CA_FILE`, `KAFKA_CERT_FILE`, `KAFKA_KEY_FILE`,
    `KAFKA_MECHANISM`, `KAFKA_USERNAME`, `KAFKA_PASSWORD`; and `KAFKA_PATIENCE`, in seconds. They mean what the
    settings of the same names mean (`docs/settings.md`).
    """

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        try:
            self._address = Address.parsed(
                f"{SCHEME}{self._needed('KAFKA_BOOTSTRAP_SERVERS')}/{self._needed('KAFKA_TOPIC')}"
            )
        except ValueError as error:
            raise InfrastructureFactoryError(
                f"KAFKA_BOOTSTRAP_SERVERS and KAFKA_TOPIC: {error}"
            ) from error
        self._replica = Path(self._needed("KAFKA_REPLICA"))
        self._sign_in = SignIn(
            protocol=self._one_of("KAFKA_PROTOCOL", get_args(Protocol), "PLAINTEXT"),
            ca_file=self._path("KAFKA_CA_FILE"),
            cert_file=self._path("KAFKA_CERT_FILE"),
            key_file=self._path("KAFKA_KEY_FILE"),
            mechanism=self._one_of("KAFKA_MECHANISM", get_args(Mechanism), "SCRAM-SHA-512"),
            username=self.env.get("KAFKA_USERNAME"),
            password=self.env.get("KAFKA_PASSWORD"),
        )
        self._logs: list[KafkaLog] = []

    def dcb_recorder(self) -> DCBRecorder:
        patience = float(self.env.get("KAFKA_PATIENCE") or PATIENCE)
        log = KafkaLog(self._address, self._replica, self._sign_in, patience=patience)
        self._logs.append(log)
        return log

    def close(self) -> None:
        for log in self._logs:
            log.close()

    def _needed(self, name: str) -> str:
        value = self.env.get(name)
        if not value:
            raise InfrastructureFactoryError(
                "a log on Kafka needs KAFKA_BOOTSTRAP_SERVERS (host:port), KAFKA_TOPIC (with one partition) and "
                f"KAFKA_REPLICA (the path of a file that it makes); {name} is not set"
            )
        return value

    def _path(self, name: str) -> Path | None:
        value = self.env.get(name)
        return Path(value) if value else None

    def _one_of(self, name: str, values: tuple[str, ...], default: str) -> Any:
        value = self.env.get(name) or default
        if value not in values:
            raise InfrastructureFactoryError(
                f"{name} is {value!r}; give one of {', '.join(values)}"
            )
        return value
