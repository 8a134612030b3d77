"""Tokens that a first start gives out."""

import os
from collections.abc import Callable
from pathlib import Path

import orjson

from ledger.vault.vault import Vault
from services.assembly import System
from services.settings import path_of


def operators_token(vault: Vault) -> str | None:
    """A token for the operator, if there has never been one."""
    if vault.has_token_for("operator"):
        return None
    return vault.issue_token("operator", "operator")


def sample_town_tokens(system: System, say: Callable[[str], None]) -> None:
    """Build the sample town, and keep its people's tokens in a file that its owner alone can read."""
    from services.town import build

    say("Making the sample town…")
    tokens = build(system)
    ...


def _write_for_owner(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)
        file.write(content)
