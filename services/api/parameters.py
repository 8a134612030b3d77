"""What a read may be asked: ids, pages, filters, days. Each is read strictly, and documented once."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from projections.queries import InTheFuture, Page
from projections.queries.lookups import MOST
from services.api.bodies import invalid
from services.errors import Wrong

USUAL = 100
"""Items on a page, unless asked otherwise."""

LARGEST = 2**53 - 1
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")
]


def _whole(text: object) -> object:
    """Python reads `1_0` and ` 5` as numbers too."""
    if isinstance(text, str) and str(int(text) if text.isdecimal() else "") != text:
        raise ValueError("give a whole number in digits")
    return text


def _day(text: object) -> object:
    """Python reads `20260131` and `2026-W05-6` as days too."""
    try:
        if isinstance(text, str) and date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError("give a day that there is, as YYYY-MM-DD")


Whole = Annotated[int, BeforeValidator(_whole)]
Day = Annotated[str, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Said = Literal["true", "false"]

QuestionId = Annotated[Text, Path(description="The question's id; it may hold slashes.")]
AreaPath = Annotated[Text, Path(description="The area's id, a path: `pl/warszawa`.")]
PolicyId = Annotated[Text, Path(description="The policy area's code: `07.1`.")]
OrganisationId = Annotated[Text, Path(description="The organisation's id.")]

OneArea = Annotated[Text | None, Query(description="Only this area.")]
Within = Annotated[Text | None, Query(description="Only this area and those below it.")]
OnePolicy = Annotated[Text | None, Query(description="Only this policy area.")]
IsMandate = Annotated[Said | None, Query(description="Only standing mandates, or none of them.")]
AtStage = Annotated[Literal["open", "closed"] | None, Query(description="Only at this stage.")]
OfFate = Annotated[
    Literal["pending", "kept", "broken", "dropped"] | None,
    Query(description="Only promises of which this became."),
]

PositionSort = Literal["position", "-position"]
PromiseSort = Literal["position", "-position", "title", "-title", "decided_at", "-decided_at"]
MandateSort = Literal["policy", "-policy", "area", "-area", "voters", "-voters", "title", "-title"]

WaitFor = Annotated[
    Whole | None,
    Query(
        ge=0,
        le=LARGEST,
        description="Answer when the read models have come to this position (a command's answer gives one).",
    ),
]
AtPosition = Annotated[
    Whole | None,
    Query(ge=1, le=LARGEST, description="As it stood when the log ended at this position."),
]
OnDay = Annotated[
    Day | None,
    Query(description="As it stood at the end of this day (UTC), or stands now on today."),
]
FirstDay = Annotated[Day | None, Query(alias="from", description="From this day on.")]
LastDay = Annotated[Day | None, Query(alias="to", description="Up to this day.")]


async def _paging(
    limit: Annotated[
        Whole, Query(ge=1, le=MOST, description="The most items that are given.")
    ] = USUAL,
    offset: Annotated[
        Whole, Query(ge=0, le=LARGEST, description="How many items are left out before them.")
    ] = 0,
) -> Page:
    return Page(limit, offset)


Paging = Annotated[Page, Depends(_paging)]


def said(flag: Said | None) -> bool | None:
    """A filter that is on, off, or not set."""
    return None if flag is None else flag == "true"


def check_days(first: str | None, last: str | None) -> None:
    """Raises `RequestFault` (422) for days in the wrong order."""
    if first is not None and last is not None and first > last:
        raise invalid(Wrong("to", "it comes before `from`"))


def check_has_begun(day: str) -> None:
    """Raises `InTheFuture`. Days are those of the log: UTC."""
    if day > datetime.now(UTC).date().isoformat():
        raise InTheFuture(f"The day {day} has not begun.")
