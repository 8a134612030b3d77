"""The settings: one typed model, the only reader of the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.eventlog.kafka_address import SCHEME, Address, Mechanism, Protocol, SignIn
from ledger.transparency.keys import check_name

MEMORY = "memory:"
_SQLITE = "sqlite:///"
POSTGRES = "postgresql://"


def _known_url(url: str) -> str:
    if url != MEMORY and not (url.startswith(_SQLITE) and len(url) > len(_SQLITE)):
        raise ValueError(
            f"give {MEMORY!r}, or sqlite:/// and a path, like sqlite:////var/lib/civic/log.sqlite"
        )
    return url


def _log_url(url: str) -> str:
    if url.startswith(SCHEME):
        Address.parsed(url)
        return url
    return _known_url(url)


def _store_url(url: str) -> str:
    if url.startswith(POSTGRES):
        return url
    try:
        return _known_url(url)
    except ValueError as error:
        raise ValueError(f"{error}, or postgresql://USER@HOST/DATABASE") from error


def _origin(name: str) -> str:
    check_name(name, "origin")
    return name


Url = Annotated[str, AfterValidator(_known_url)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
LogUrl = Annotated[str, AfterValidator(_log_url)]


class Settings(BaseSettings):
    """Each setting is an environment variable (`CIVIC_` and its name) and a flag of `civic-ledger`."""

    model_config = SettingsConfigDict(env_prefix="CIVIC_", extra="ignore")

    log: LogUrl = Field(
        default="sqlite:///var/log.sqlite",
        description="Where the event log is: `sqlite:///PATH`, `kafka://HOST:PORT/TOPIC` (with commas between several "
        "HOST:PORT) or `memory:`.",
    )
    replica: Path = Field(
        default=Path("var/replica.sqlite"),
        description="The file of this machine's copy of a log on Kafka. It may be deleted: it is made again.",
    )
    store: StoreUrl = Field(
        default="sqlite:///var/store.sqlite",
        description="Where the read models are: `sqlite:///PATH`, `postgresql://USER@HOST:PORT/DATABASE` or `memory:`. "
        "A password is better kept where libpq finds it (`PGPASSFILE`) than in the URL.",
    )
    vault: Url = Field(
        default="sqlite:///var/vault.sqlite",
        description="Where identities, keys and private parts are: `sqlite:///PATH` or `memory:`.",
    )
    master_key_file: Path | None = Field(
        default=None,
        description="The file of the key that wraps the vault's keys; next to the vault unless given. "
        "It is made at first use. Without it the vault cannot be read: keep a copy elsewhere.",
    )
    origin: Annotated[str, AfterValidator(_origin)] = Field(
        default="ledger.example/civic",
        min_length=1,
        max_length=200,
        description="The ledger's name in every entry (`source`) and checkpoint. Choose it once: the address of "
        "the public files, without `https://`, is a good one.",
    )
    public: Path | None = Field(
        default=None,
        description="The folder of the public files; `public` next to the log (or to its replica) unless given. "
        "Any web server may serve it.",
    )
    last_signed: StoreUrl | None = Field(
        default=None,
        description="Where it is kept what was signed last: `sqlite:///PATH` or `postgresql://…`, which servers on "
        "several machines need; `signed.sqlite` next to the log unless given. Never put back an older copy.",
    )
    signing_key_file: Path | None = Field(
        default=None,
        description="The file of the key that signs checkpoints; `signing.key` next to the log unless given. It is "
        "made at the first `serve` (of the `trial` profile). Keep a copy elsewhere.",
    )
    signing_key: SecretStr | None = Field(
        default=None,
        description="That key itself, instead of a file: `PRIVATE+KEY+…`; several with spaces between them, the "
        "current one first.",
    )
    checkpoint_every: float = Field(
        default=0.5,
        gt=0,
        le=3_600,
        description="Seconds between two checkpoints at least. After a pause, an event has one at once.",
    )
    witness_policy: Path | None = Field(
        default=None,
        description="The file that names the witnesses and how many of them must cosign a checkpoint before it is "
        "published (C2SP tlog-policy).",
    )
    witness_timeout: float = Field(
        default=5.0,
        gt=0,
        le=300,
        description="Seconds in which a witness must have answered.",
    )
    attest_every: float = Field(
        default=3_600.0,
        ge=0,
        description="Seconds between two attestations of the read models' digests in the log; 0: none.",
    )
    profile: Literal["trial", "production"] = Field(
        default="trial",
        description="`production` refuses a Kafka topic whose settings are too weak for a log that must last.",
    )
    patience: float = Field(
        default=15.0,
        ge=1.0,
        le=300.0,
        description="Seconds after which a command is answered with an error when Kafka does not take it.",
    )
    kafka_protocol: Protocol = Field(
        default="PLAINTEXT", description="How to talk to Kafka's brokers: with TLS, with a user."
    )
    kafka_ca_file: Path | None = Field(
        default=None,
        description="The PEM file of who vouches for the brokers; the system's unless given.",
    )
    kafka_cert_file: Path | None = Field(
        default=None, description="The PEM file of our own certificate, where the brokers want one."
    )
    kafka_key_file: Path | None = Field(
        default=None, description="The PEM file of that certificate's key."
    )
    kafka_mechanism: Mechanism = Field(
        default="SCRAM-SHA-512", description="How a user signs in to Kafka."
    )
    kafka_username: str | None = Field(default=None, description="The user at Kafka.")
    kafka_password: SecretStr | None = Field(default=None, description="The user's password.")
    publishable_from: int = Field(
        default=10,
        ge=1,
        description="Choices may name an area once its roll holds this many people.",
    )
    host: str = Field(default="127.0.0.1", description="The address that the server listens on.")
    port: int = Field(
        default=8000, ge=0, le=65535, description="The port that the server listens on."
    )
    max_body_bytes: int = Field(
        default=262_144, ge=1_024, description="The largest body of a request, in bytes."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much the server says about what it does."
    )


def sign_in(settings: Settings) -> SignIn:
    """How to talk to Kafka's brokers."""
    password = settings.kafka_password
    return SignIn(
        protocol=settings.kafka_protocol,
        ca_file=settings.kafka_ca_file,
        cert_file=settings.kafka_cert_file,
        key_file=settings.kafka_key_file,
        mechanism=settings.kafka_mechanism,
        username=settings.kafka_username,
        password=None if password is None else password.get_secret_value(),
    )


def home_of(settings: Settings) -> Path | None:
    """The folder in which the log is, or this machine's replica of it; None for a log in memory."""
    if settings.log.startswith(SCHEME):
        return settings.replica.parent
    path = path_of(settings.log)
    return None if path is None else path.parent


def path_of(url: str) -> Path | None:
    """The path in a URL, `sqlite:///relative` or `sqlite:////absolute`; None for one in memory."""
    return None if url == MEMORY else Path(url.removeprefix(_SQLITE))
