"""The settings: one typed model, the only reader of the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MEMORY = "memory:"
_SQLITE = "sqlite:///"


def _known_url(url: str) -> str:
    if url != MEMORY and not (url.startswith(_SQLITE) and len(url) > len(_SQLITE)):
        raise ValueError(
            f"give {MEMORY!r}, or sqlite:/// and a path, like sqlite:////var/lib/civic/log.sqlite"
        )
    return url


Url = Annotated[str, AfterValidator(_known_url)]


class Settings(BaseSettings):
    """Each setting is an environment variable (`CIVIC_` and its name) and a flag of `civic-ledger`."""

    model_config = SettingsConfigDict(env_prefix="CIVIC_", extra="ignore")

    log: Url = Field(
        default="sqlite:///var/log.sqlite",
        description="Where the event log is: `sqlite:///PATH` or `memory:`.",
    )
    store: Url = Field(
        default="sqlite:///var/store.sqlite",
        description="Where the read models are: `sqlite:///PATH` or `memory:`.",
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
    origin: str = Field(
        default="ledger.example/civic",
        min_length=1,
        max_length=200,
        description="The ledger's name in every entry (`source`). Choose it once.",
    )
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


def path_of(url: str) -> Path | None:
    """The path in a URL, `sqlite:///relative` or `sqlite:////absolute`; None for one in memory."""
    return None if url == MEMORY else Path(url.removeprefix(_SQLITE))
