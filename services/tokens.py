"""Tokens that a first start gives out. Only their hashes are kept, so each is told once."""

import os
from collections.abc import Callable
from pathlib import Path

import orjson

from ledger.vault.vault import Role, Vault
from services.assembly import System
from services.settings import path_of

Say = Callable[[str], None]

OPERATOR: Role = "operator"


def tell_operators_token(vault: Vault, say: Say) -> None:
    """Tell a token for the operator, if there has never been one."""
    if not vault.has_token_for(OPERATOR):
        token = vault.issue_token(OPERATOR, OPERATOR)
        say(f"The operator's token, told this once (only its hash is kept): {token}")


def build_sample_town(system: System, say: Say) -> None:
    """Build the sample town, and keep its people's tokens beside the vault, readable for the owner only."""
    from services.town import build  # it is large, and most starts do without it

    say("Making the sample town…")
    tokens = build(system).to_dict()
    vault = path_of(system.settings.vault)
    if vault is None:
        say(f"The tokens of its people: {orjson.dumps(tokens).decode()}")
    else:
        path = vault.with_name("tokens.json")
        _write_for_owner(path, orjson.dumps(tokens, option=orjson.OPT_INDENT_2))
        say(f"The tokens of its people are in {path}")


def _write_for_owner(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # the file may have been there with other rights
        file.write(content)
