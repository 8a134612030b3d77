"""What the tests of this folder share."""

from pathlib import Path

import pytest

from tests.integration.importing import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger in a folder of its own."""
    return Ledger(tmp_path)
