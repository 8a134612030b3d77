"""Reading text of which every byte is signed or hashed: one spelling for each value, all others refused.

Python's own readers are too kind: `int("1_0")`, `int(" 5")` and `b64decode("AB==")` all give something.
"""

import base64
import binascii
import re
from typing import Final

from ledger.transparency.errors import Malformed

MAX_NUMBER: Final = 2**63 - 1
"""Of tree sizes, indices and times: the most that Go's tlog and tlog-cosignature can hold."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile("[\0-\x09\x0b-\x1f]")
_SHOWN = 60


def shown(text: str) -> str:
    """The text in quotation marks, its end left off where it is long."""
    return repr(text) if len(text) <= _SHOWN else repr(text[:_SHOWN]) + "…"


def utf8(data: bytes, what: str) -> str:
    """Text without control characters other than the newline. Raises `Malformed` for anything else."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(what, f"byte {error.start} is not UTF-8", line) from None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise Malformed(what, f"holds the control character {found[0]!r}", line)
    return text


def decimal(text: str, what: str, line: int | None = None) -> int:
    """A whole number from 0 to `MAX_NUMBER`, without leading zeros. Raises `Malformed` for anything else."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_NUMBER:
        why = f"{shown(text)} is not a whole number below 2^63 without sign and leading zeros"
        raise Malformed(what, why, line)
    return int(text)


def base64_of(data: bytes) -> str:
    """Standard Base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, what: str, line: int | None = None, *, secret: bool = False) -> bytes:
    """The bytes of standard, padded, canonical Base64. Raises `Malformed`, which does not quote a secret."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64_of(data) != text:
        quoted = "the key" if secret else shown(text)
        raise Malformed(what, f"{quoted} is not canonical Base64", line)
    return data


def from_base64_hash(text: str, what: str, line: int | None = None) -> bytes:
    """A SHA-256 hash in Base64. Raises `Malformed`."""
    data = from_base64(text, what, line)
    if len(data) != 32:
        raise Malformed(what, f"a hash has 32 bytes, not {len(data)}", line)
    return data
