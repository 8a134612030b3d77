"""The verifier is built once for all tests here."""

from pathlib import Path

import pytest

from tests.audit import go


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of the program."""
    return go.build(tmp_path_factory.mktemp("verifier"))
