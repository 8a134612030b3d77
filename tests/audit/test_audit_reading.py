"""How entries are read: two ways that must agree, and a catalogue that must be the ledger's."""

from collections.abc import Iterable
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.domain.catalogue import EVENT_BY_TYPE
from services.audit import quick
from services.audit.bundles import examine_all
from services.audit.form import NotWellFormed, Read, read
from services.audit.packing import packed, unpacked
from services.audit.shapes import SHAPES
from services.audit.source import FolderSource
from tests.audit.auditing import folder_of, honest

ROOT = Path(__file__).parents[2]
GOLDEN = (ROOT / "tests/unit/golden_entries.jsonl").read_bytes().splitlines()
"""An entry of every type, with all that it can hold."""


def long_way(entry: bytes) -> Read | None:
    try:
        return read(entry)
    except NotWellFormed:
        return None


def quick_way(entry: bytes) -> Read | None:
    contents = quick.read_all([entry])
    row = contents.rows[0]
    return None if row is None else (contents.ids[0], contents.sources.pop(), row)


def known_quickly(entry: bytes) -> bool:
    found = ((kind, quick._of_kind(kind, [entry], [0])[1]) for kind in quick._KINDS)
    return any(parts and kind.read(parts) is not None for kind, parts in found)


def same_but_for_marks(one: Read | None, other: Read | None) -> bool:
    """Marks are left for the count to judge; but they say the same."""
    if one is None or other is None:
        return one is other
    return bool(orjson.dumps(one, default=repr) == orjson.dumps(other, default=repr))


@pytest.mark.parametrize("entry", [*honest(), *GOLDEN])
def test_both_ways_read_the_same(entry: bytes) -> None:
    assert long_way(entry) is not None
    assert same_but_for_marks(quick_way(entry), long_way(entry))


def test_nearly_all_events_are_known_at_a_glance() -> None:
    some = [entry for entry in honest() if b"civic.choice.made" in entry and b"sealed" not in entry]
    assert len(some) > 50
    assert all(map(known_quickly, some))
    assert any(known_quickly(one) for one in honest() if b"choice.changed" in one)
    assert any(known_quickly(one) for one in honest() if b"citizen.registered" in one)


def one_of_each_kind() -> list[bytes]:
    some = {}
    for entry in (*honest(), *GOLDEN):
        type_ = orjson.loads(entry)["type"]
        if known_quickly(entry):
            some.setdefault((type_, b"private" in entry), entry)
    assert len(some) >= 4
    return list(some.values())


@pytest.mark.parametrize("entry", one_of_each_kind())
def test_whatever_byte_is_changed_both_ways_agree(entry: bytes) -> None:
    """Each byte in turn becomes others. What one way takes, the other takes alike, but for marks."""
    first, last = _marks(entry)
    for at in range(len(entry)):
        for byte in {entry[at] ^ 1, entry[at] ^ 0x20, 0x22, 0x20, 0x5C, 0x7D, 0x0A, 0xC3} - {
            entry[at]
        }:
            other = entry[:at] + bytes([byte]) + entry[at + 1 :]
            if not first <= at < last:
                assert same_but_for_marks(quick_way(other), long_way(other)), other


def _marks(entry: bytes) -> tuple[int, int]:
    """Where all marks in an entry stand."""
    if b'"marks":' not in entry:
        return 0, 0
    return entry.index(b'"marks":'), entry.rindex(b'"question":')


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_done_to_a_bundle_both_ways_agree(data: st.DataObject) -> None:
    some = one_of_each_kind()
    entries = []
    for _ in range(data.draw(st.integers(1, 6))):
        entry = bytearray(data.draw(st.sampled_from(some)))
        first, last = _marks(bytes(entry))
        for _ in range(data.draw(st.integers(0, 2))):
            at = data.draw(st.integers(0, len(entry) - 1))
            if not first <= at < last:
                entry[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
                break
        entries.append(bytes(entry))
    contents = quick.read_all(entries)
    expected = [long_way(entry) for entry in entries]
    assert contents.ids == ["" if one is None else one[0] for one in expected]
    rows = [None if one is None else one[2] for one in expected]
    assert orjson.dumps(contents.rows, default=repr) == orjson.dumps(rows, default=repr)
    assert [at for at, _ in contents.wrong] == [at for at, one in enumerate(rows) if one is None]


def test_what_goes_to_another_process_comes_back_the_same(tmp_path: Path) -> None:
    from ledger.transparency.tiles import bundles_between

    folder = folder_of(tmp_path, honest())
    bundles = list(bundles_between(0, len(honest())))
    some = list(examine_all(FolderSource(str(folder)), bundles))
    assert some
    assert list(unpacked(packed(some))) == some


# The catalogue


def test_the_auditor_knows_every_event_of_the_ledger() -> None:
    choices = {type_ for type_ in EVENT_BY_TYPE if type_.startswith("civic.choice.")}
    assert SHAPES.keys() | choices == EVENT_BY_TYPE.keys()


@pytest.mark.parametrize("type_", SHAPES)
def test_its_fields_are_those_that_the_ledger_writes(type_: str) -> None:
    """What the ledger may leave out, it leaves out where it is None; fields with another default are always written."""
    fields = EVENT_BY_TYPE[type_].model_fields
    optional = {name for name, one in fields.items() if _may_be_none(one.annotation)}
    shape = SHAPES[type_]
    assert shape.required.keys() == fields.keys() - optional
    assert shape.optional.keys() == optional


def _may_be_none(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


@pytest.mark.parametrize("entry", GOLDEN)
def test_a_value_that_the_ledger_cannot_read_is_refused_here(entry: bytes) -> None:
    """Each value in turn becomes another. Values that contradict each other are for the rules to judge."""
    event = orjson.loads(entry)
    refused = 0
    for name, value in event["data"].items():
        for other in _others(value):
            changed = {**event, "data": {**event["data"], name: other}}
            if name not in ("method", "rule") and _cannot_be_read(changed):
                again = orjson.dumps(changed, option=orjson.OPT_SORT_KEYS)
                assert long_way(again) is None, (name, other)
                refused += 1
    assert refused


def _cannot_be_read(event: dict[str, Any]) -> bool:
    try:
        EVENT_BY_TYPE[event["type"]].model_validate(event["data"])
    except ValidationError as error:
        return any(one["loc"] for one in error.errors())
    return False


def _others(value: Any) -> Iterable[Any]:
    yield from (
        None,
        -1,
        2**60,
        1.5,
        True,
        "",
        " x ",
        "a\x00b",
        "x" * 9_000,
        [],
        {},
        ["", 1],
        {"a": 1},
    )
    if isinstance(value, str):
        yield from (value.upper() + "Ä?", value + "/", value[:-1])
