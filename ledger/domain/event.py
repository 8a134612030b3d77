"""What an event is: a frozen fact with a frozen name, and the kinds of value that it may hold."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def instant(moment: datetime) -> str:
    """The canonical text of a moment: RFC 3339, UTC, microseconds. Its order as text is its order in time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _canonical_instant(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("give the time zone, for example 2026-01-31T12:00:00Z")
    return instant(moment)


_SEGMENT = r"[^\s/?#\x00-\x1f\x7f]+( [^\s/?#\x00-\x1f\x7f]+)*"
_PATH = rf"^{_SEGMENT}(/{_SEGMENT})*$"
_AREA_PATH = r"^[a-z0-9][a-z0-9._~-]*(/[a-z0-9][a-z0-9._~-]*)*$"

Instant = Annotated[str, AfterValidator(_canonical_instant)]
AreaId = Annotated[str, StringConstraints(pattern=_AREA_PATH, max_length=400)]
Id = Annotated[str, StringConstraints(pattern=_PATH, max_length=300)]
OptionId = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$", max_length=200
    ),
]
Title = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
    ),
]
Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=8_000,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    ),
]
Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Whole = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]
"""A whole number that every JSON reader keeps exact (RFC 8259, section 6)."""
Amount = Annotated[int, Field(ge=0, le=2**53 - 1)]
Marks = Annotated[dict[OptionId, Whole], Field(max_length=1_000)]


class Event(BaseModel):
    """A fact that happened. `type` is its name for ever; `subject` is what it is about, never a person."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: ClassVar[str]

    @property
    def subject(self) -> str:
        raise NotImplementedError


class Happened(NamedTuple):
    """An event with its tags, which stay inside the operator's systems."""

    event: Event
    tags: tuple[str, ...]


@lru_cache(maxsize=100_000)
def ancestry(area: str) -> tuple[str, ...]:
    """The area and all areas above it, smallest first: its id is its path (design, section 2)."""
    segments = area.split("/")
    return tuple("/".join(segments[:depth]) for depth in range(len(segments), 0, -1))


def area_tags(*areas: str) -> tuple[str, ...]:
    """One tag for every area named and every area above it, without repeats."""
    return tuple(dict.fromkeys(f"area:{above}" for area in areas for above in ancestry(area)))


Payload = dict[str, Any]
"""The public `data` of an entry, as parsed from JSON."""
