"""A vault in a file, and private parts to keep in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.vault.keys import PrivateContent
from ledger.vault.vault import PrivatePart, Vault
from tests.unit.ledgers import MASTER_KEY

MADE = "civic.choice.made.v1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.sqlite"


@pytest.fixture
def vault(path: Path) -> Iterator[Vault]:
    vault = Vault(path, MASTER_KEY)
    yield vault
    vault.close()


def kept(vault: Vault, event_id: str = "c/1", comment: str = "For my mother.") -> str:
    content = PrivateContent({"comment": comment})
    vault.keep([PrivatePart(event_id, MADE, vault.enrol("anna"), content)])
    return content.commitment
