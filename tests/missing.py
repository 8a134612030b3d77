"""What a test needs and this machine does not have."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the tests, but not on the machine that has the last word."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
