"""Counting libraries are an extra: they are slow to import, and only some rules need them."""

from importlib import import_module
from types import ModuleType


class CountingLibraryMissing(ImportError):
    """A rule needs a library that is not installed; the message says how to install it."""


def library(module: str) -> ModuleType:
    """The module, imported when a rule first needs it. Raises CountingLibraryMissing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        raise CountingLibraryMissing(
            f"This rule is counted with {module.partition('.')[0]}, which is not installed:"
            " pip install 'civic-participation-ledger[counting]'"
        ) from missing
