"""Which of the formats that are offered a request prefers (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence

from services.errors import Fault, RequestFault

JSON = "application/json"
CSV = "text/csv"
BOTH = (JSON, CSV)
"""The formats of lists and tallies; JSON is the usual one."""

_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The media type to answer with; of those that are wanted alike, the one that is offered first.

    Raises `RequestFault` (406) where none is wanted.
    """
    if not accept.strip():
        return offered[0]
    ranges = [found for part in accept.split(",") if (found := _range(part)) is not None]
    best = max(offered, key=lambda one: _quality(one, ranges))
    if _quality(best, ranges) == 0:
        raise RequestFault(
            Fault.NOT_ACCEPTABLE,
            f"Send the header `Accept: {' or '.join(offered)}`, or none.",
            headers={"Vary": "Accept"},
        )
    return best


def _range(part: str) -> tuple[str, float] | None:
    """A media range with its quality; None for what is not well formed."""
    name, *parameters = (one.strip().lower() for one in part.split(";"))
    if "/" not in name:
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            value = value.strip()
            return (name, float(value)) if _QUALITY.fullmatch(value) else None
    return name, 1.0


def _quality(offered: str, ranges: Sequence[tuple[str, float]]) -> float:
    """What the most specific range that covers a media type says of it."""
    kind = offered.partition("/")[0]
    for pattern in (offered, f"{kind}/*", "*/*"):
        found = [quality for name, quality in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0
