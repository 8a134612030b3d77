"""From the bytes of an entry to what the rules need of it, if it is well formed: canonical CloudEvents JSON.

Choices are read by hand, and all others by their table of fields (`shapes`); `quick` knows the most common ones at
a glance.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from services.audit.shapes import SHAPES, Shape
from services.audit.values import is_area, is_digest, is_event_id, is_id, is_instant

MADE: Final = 1
CHANGED: Final = 2
WITHDRAWN: Final = 3
LAPSED: Final = 4
REGISTERED: Final = 5
OTHER: Final = 6
UNCHECKED: Final = 7
"""An event of a type that this auditor does not know. It is hashed and its envelope is checked, no more."""

Row = tuple[Any, ...]
"""What the rules need of an entry, its kind first. Only text, bytes and numbers: it may go to another process.

A choice: (kind, time, question, voter, answer or None, previous or None), an answer being its area and the text of
its marks. (REGISTERED, time, home, person, None, None), (OTHER, time, type, data), (UNCHECKED, time, type).
"""

Read = tuple[str, str, Row]
"""Id, source and row of an event. (A plain tuple: one is made for every event.)"""


class NotWellFormed(Exception):
    """The entry breaks its form; the message says how."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected


_ATTRIBUTES = 8
"""As many as `read` asks for: so there is no other one."""

_TYPE = re.compile(r"civic\.[a-z]+(?:-[a-z]+)*\.[a-z]+(?:[-_][a-z]+)*\.v[1-9][0-9]*").fullmatch
_SORTED = orjson.OPT_SORT_KEYS
_loads, _dumps = orjson.loads, orjson.dumps


def read(entry: bytes) -> Read:
    """The event of an entry. Raises `NotWellFormed`."""
    try:
        envelope = _loads(entry)
    except orjson.JSONDecodeError as error:
        raise NotWellFormed(f"bytes that are not JSON: {error}", "a JSON object") from None
    if _dumps(envelope, option=_SORTED) != entry:
        raise NotWellFormed("JSON that is not in its canonical form", "sorted keys, no spaces")
    try:
        data, time, type_ = envelope["data"], envelope["time"], envelope["type"]
        id_, source, subject = envelope["id"], envelope["source"], envelope["subject"]
        is_event = (
            envelope["specversion"] == "1.0"
            and envelope["datacontenttype"] == "application/json"
            and len(envelope) == _ATTRIBUTES
        )
    except (KeyError, TypeError):
        is_event = False
    if not is_event or type(source) is not str or type(type_) is not str or type(data) is not dict:
        raise NotWellFormed(_names(envelope), "the attributes of a CloudEvent 1.0 with JSON data")
    if not is_instant(time):
        raise NotWellFormed(f"the time {_shown(time)}", "RFC 3339 in UTC with microseconds")
    if not is_event_id(id_):
        raise NotWellFormed(f"the id {_shown(id_)}", "a command's id, a slash and a number")
    choice = _CHOICES.get(type_)
    try:
        if choice is None:
            if type_ != "civic.citizen.registered.v1" or subject != "roll":
                return id_, source, _other(type_, data, time, subject)
            return id_, source, _registered(data, time)
        if subject != "question/" + data["question"]:
            raise NotWellFormed(f"the subject {_shown(subject)}", "the question's")
        return id_, source, choice(data, time)
    except (KeyError, TypeError):
        raise NotWellFormed(f"{type_} with {_names(data)}", "the fields of its type") from None


def _registered(data: dict[str, Any], time: str) -> Row:
    if len(data) != 2 + _commitments(data) or not is_area(data["home"]):
        raise NotWellFormed(f"a registration with {_names(data)}", "a person and a home")
    return (REGISTERED, time, data["home"], _pseudonym(data["person"]), None, None)


def _other(type_: str, data: dict[str, Any], time: str, subject: Any) -> Row:
    shape = SHAPES.get(type_)
    if shape is None:
        if _TYPE(type_) is None or type(subject) is not str:
            raise NotWellFormed(f"the type {type_!r}", "civic.<family>.<what happened>.v<N>")
        return (UNCHECKED, time, type_)
    _check(type_, shape, data)
    if subject != shape.subject(data):
        raise NotWellFormed(f"the subject {_shown(subject)}", f"{shape.subject(data)!r}")
    return (OTHER, time, type_, data)


def _check(type_: str, shape: Shape, data: dict[str, Any]) -> None:
    for name, is_right in shape.required.items():
        if not is_right(data[name]):
            raise NotWellFormed(f"{type_} with {name} {_shown(data[name])}", "a legal value")
    for name in data.keys() - shape.required.keys():
        if name not in shape.optional:
            raise NotWellFormed(f"{type_} with the field {name!r}", "the fields of its type")
        if not shape.optional[name](data[name]):
            raise NotWellFormed(f"{type_} with {name} {_shown(data[name])}", "a legal value")


def _made(data: dict[str, Any], time: str) -> Row:
    _fields(data, 3 + _commitments(data))
    return (MADE, time, data["question"], _pseudonym(data["voter"]), _answer(data["answer"]), None)


def _changed(data: dict[str, Any], time: str) -> Row:
    _fields(data, 4 + _commitments(data))
    answer, previous = _answer(data["answer"]), _answer(data["previous"])
    return (CHANGED, time, data["question"], _pseudonym(data["voter"]), answer, previous)


def _withdrawn(data: dict[str, Any], time: str) -> Row:
    _fields(data, 3)
    return (
        WITHDRAWN,
        time,
        data["question"],
        _pseudonym(data["voter"]),
        None,
        _answer(data["previous"]),
    )


def _lapsed(data: dict[str, Any], time: str) -> Row:
    return (LAPSED, *_withdrawn(data, time)[1:])


_CHOICES: dict[str, Callable[[dict[str, Any], str], Row]] = {
    "civic.choice.made.v1": _made,
    "civic.choice.changed.v1": _changed,
    "civic.choice.withdrawn.v1": _withdrawn,
    "civic.choice.lapsed.v1": _lapsed,
}


def _fields(data: dict[str, Any], number: int) -> None:
    """All fields that there must be are read one by one; so it is enough that there are no more."""
    if len(data) != number or not is_id(data["question"]):
        raise NotWellFormed(f"a choice with {_names(data)}", "the fields of its type, no weight")


def _commitments(data: dict[str, Any]) -> int:
    if "private" not in data:
        return 0
    if not is_digest(data["private"]):
        raise NotWellFormed("a false commitment", "a SHA-256 hash")
    return 1


def _pseudonym(text: str) -> bytes:
    try:
        pseudonym = bytes.fromhex(text)
    except ValueError:
        pseudonym = b""
    if len(pseudonym) != 16 or pseudonym.hex() != text:
        raise NotWellFormed("a person or voter who is not a pseudonym", "128 bits in hex")
    return pseudonym


def _answer(answer: dict[str, Any]) -> tuple[str, str]:
    """The area and the marks, as they are written: an object, or a text if they are sealed.

    Whether marks are legal is for the count to say, once for all who gave the same.
    """
    area = answer["area"]
    marks = answer.get("marks")
    if marks is None:
        sealed = answer["sealed"]
        right = type(sealed) is str and len(sealed) <= 20_000
    else:
        right = type(marks) is dict
    if not right or len(answer) != 2 or not is_area(area):
        raise NotWellFormed(
            "an answer of another form", "an area, and either marks or sealed marks"
        )
    return area, _dumps(sealed if marks is None else marks).decode()


def _names(value: Any) -> str:
    return f"the fields {', '.join(map(repr, value))}" if type(value) is dict else "no object"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str | int) else "of another form"
