"""What the single values in an entry may be: said here again (docs/events.md), and not shared with the ledger."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from ledger.transparency.errors import Malformed
from ledger.transparency.keys import SignatureType, VerifierKey

Check = Callable[[Any], bool]

LARGEST_WHOLE: Final = 2**53 - 1
"""What every JSON reader keeps exact (RFC 8259, section 6)."""

_SEGMENT = r"[^\s/?#\x00-\x1f\x7f]+(?: [^\s/?#\x00-\x1f\x7f]+)*"
_ID = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*").fullmatch
_AREA = re.compile(r"[a-z0-9][a-z0-9._~-]*(?:/[a-z0-9][a-z0-9._~-]*)*").fullmatch
_OPTION = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?").fullmatch
_NOT_IN_TITLES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]").search
_NOT_IN_WORDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search
_HEX = re.compile("[0-9a-f]+").fullmatch
_SECOND = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}").fullmatch
_COUNTED = re.compile("[1-9][0-9]*").fullmatch


@lru_cache(maxsize=100_000)
def is_id(value: Any) -> bool:
    return type(value) is str and len(value) <= 300 and _ID(value) is not None


@lru_cache(maxsize=100_000)
def is_area(value: Any) -> bool:
    return type(value) is str and len(value) <= 400 and _AREA(value) is not None


def is_option(value: Any) -> bool:
    return type(value) is str and len(value) <= 200 and _OPTION(value) is not None


def is_title(value: Any) -> bool:
    if type(value) is not str or not 1 <= len(value) <= 500:
        return False
    return value.strip() == value and not _NOT_IN_TITLES(value)


def is_words(value: Any) -> bool:
    if type(value) is not str or not 1 <= len(value) <= 8_000:
        return False
    return value.strip() == value and not _NOT_IN_WORDS(value)


def is_pseudonym(value: Any) -> bool:
    """128 bits in hex."""
    return type(value) is str and len(value) == 32 and _HEX(value) is not None


def is_digest(value: Any) -> bool:
    """256 bits in hex."""
    return type(value) is str and len(value) == 64 and _HEX(value) is not None


def is_instant(value: Any) -> bool:
    """RFC 3339 in the one way that has the order of time as text: UTC, microseconds."""
    return (
        type(value) is str
        and len(value) == 27
        and value[19] == "."
        and value[26] == "Z"
        and value.isascii()
        and value[20:26].isdecimal()
        and is_second(value[:19])
    )


@lru_cache(maxsize=10_000)
def is_second(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return _SECOND(value) is not None


def is_event_id(value: Any) -> bool:
    """`<command id>/<n>`, n from 1."""
    if type(value) is not str or len(value) > 1_000:
        return False
    command, _, number = value.rpartition("/")
    return bool(command) and (number == "1" or _COUNTED(number) is not None)


def is_vkey(value: Any) -> bool:
    """The public key of a log."""
    try:
        return type(value) is str and VerifierKey.parse(value).type is SignatureType.ED25519
    except Malformed:
        return False


def is_flag(value: Any) -> bool:
    return type(value) is bool


def is_amount(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_WHOLE


def is_number(value: Any) -> bool:
    return type(value) is int


def is_object(value: Any) -> bool:
    return type(value) is dict


def one_of(*names: str) -> Check:
    return lambda value: type(value) is str and value in names


def between(lowest: int, highest: int) -> Check:
    return lambda value: type(value) is int and lowest <= value <= highest


def list_of(check: Check, most: int, least: int = 0) -> Check:
    def holds(value: Any) -> bool:
        return type(value) is list and least <= len(value) <= most and all(map(check, value))

    return holds


def has(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with these fields and no others."""
    every = {**required, **optional}

    def holds(value: Any) -> bool:
        return (
            type(value) is dict
            and required.keys() <= value.keys() <= every.keys()
            and all(every[name](content) for name, content in value.items())
        )

    return holds
