"""Foreign texts, made to fit the kinds of text that commands take."""

import re
from collections.abc import Mapping

TITLE = 500
WORDS = 8_000
DETAILS = 50
"""The longest title and text, and the most details of a person, in characters and numbers."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def cut(text: str, most: int) -> str:
    """The text; where it is longer than `most` characters, its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def title(text: str, most: int = TITLE) -> str:
    """The text in one line without control characters; empty where nothing is left."""
    return cut(" ".join(_NOT_TEXT.sub(" ", text).split()), most)


def words(text: str) -> str | None:
    """The text without control characters; None where nothing is left."""
    return cut(_NOT_TEXT.sub(" ", text.replace("\r\n", "\n")).strip(), WORDS) or None


def details(values: Mapping[str, str]) -> dict[str, str] | None:
    """What a row says of a person; what goes beyond the number allowed shares one entry."""
    found = {
        title(name) or "-": text
        for name, value in values.items()
        if (text := words(value)) is not None
    }
    if len(found) > DETAILS:
        names = list(found)[DETAILS - 1 :]
        rest = "\n".join(f"{name}: {found.pop(name)}" for name in names)
        found["further details"] = cut(rest, WORDS)
    return found or None
