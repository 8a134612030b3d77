"""Where a log on Kafka is, and how one signs in there. Apart from `kafka`, which takes long to import."""

from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

SCHEME = "kafka://"

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class SignIn(NamedTuple):
    """How to talk to the brokers: encrypted or not, and as whom. File names are of PEM files."""

    protocol: Protocol = "PLAINTEXT"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"SignIn(protocol={self.protocol!r}, username={self.username!r})"

    def settings(self) -> dict[str, Any]:
        """As kafka-python's clients take them."""
        told: dict[str, Any] = {"security_protocol": self.protocol}
        if "SSL" in self.protocol:
            files = {
                "ssl_cafile": self.ca_file,
                "ssl_certfile": self.cert_file,
                "ssl_keyfile": self.key_file,
            }
            told |= {name: None if file is None else str(file) for name, file in files.items()}
        if self.protocol.startswith("SASL"):
            told |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return told


class Address(NamedTuple):
    """A topic, on brokers of which some are named."""

    servers: tuple[str, ...]
    topic: str

    @classmethod
    def parsed(cls, url: str) -> Self:
        """The address in `kafka://HOST:PORT[,HOST:PORT…]/TOPIC`. Raises ValueError."""
        servers, _, topic = url.removeprefix(SCHEME).partition("/")
        named = tuple(servers.split(","))
        if not url.startswith(SCHEME) or not topic or not all(map(_is_server, named)):
            raise ValueError("give kafka://HOST:PORT/TOPIC, with commas between several HOST:PORT")
        if (
            not topic.replace("-", "").replace("_", "").replace(".", "").isalnum()
            or len(topic) > 200
        ):
            raise ValueError("a topic's name is of letters, digits, '.', '_' and '-', at most 200")
        return cls(named, topic)

    def __str__(self) -> str:
        return f"{SCHEME}{','.join(self.servers)}/{self.topic}"


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65_536
