"""How templates write numbers, times and addresses."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Jinja with what every template may use."""
    found = Environment(
        loader=PackageLoader("services.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        number=number, percent=percent, day=day, moment=moment, path=path, words=words
    )
    return found


def number(value: int) -> str:
    return f"{value:,}"


def percent(per_mille: int) -> str:
    return f"{per_mille / 10:.1f} %"


def day(text: str) -> str:
    """`22 November 2026`, from a day or an instant in RFC 3339."""
    found = datetime.fromisoformat(text)
    return f"{found.day} {found:%B %Y}"


def moment(text: str) -> str:
    """`22 November 2026, 14:05 UTC`."""
    found = datetime.fromisoformat(text).astimezone(UTC)
    return f"{found.day} {found:%B %Y, %H:%M} UTC"


def path(id_: str) -> str:
    """An id as a part of an address; its slashes stay."""
    return quote(id_, safe="/~")


def words(value: Any) -> str:
    """`Under way`, from a name such as `under-way`."""
    return str(value).replace("-", " ").capitalize()
