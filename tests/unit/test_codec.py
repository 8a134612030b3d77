"""The canonical bytes of entries: what is frozen, what is refused, how old events are lifted."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ledger import codec
from ledger.codec import MAX_ENTRY, UnknownEvent, decode, encode
from ledger.domain.catalogue import EVENT_BY_TYPE
from ledger.domain.choices import Answer, ChoiceMade
from ledger.domain.event import Event
from ledger.domain.policies import PolicyDefined
from ledger.domain.questions import Option, QuestionOpened
from ledger.domain.refusals import Reason, Refused
from tests.unit.samples import PERSON, SAMPLES

GOLDEN = Path(__file__).with_name("golden_entries.jsonl").read_bytes().splitlines()
"""The entries of `SAMPLES` as first written. A line may be added; none may ever change."""
NUMBERED = [pytest.param(n, event, id=event.type) for n, event in enumerate(SAMPLES, 1)]
TIME = "2026-05-04T03:02:01.000009Z"


def encoded(event: Event, n: int = 1) -> bytes:
    return encode(event, event_id=f"command/{n}", source="ledger.example/x", time=TIME)


@pytest.mark.parametrize(("n", "event"), NUMBERED)
def test_the_bytes_of_an_entry_are_frozen_for_ever(n: int, event: Event) -> None:
    assert encoded(event, n) == GOLDEN[n - 1]


def test_every_type_has_golden_bytes() -> None:
    assert len(GOLDEN) == len(SAMPLES)
    assert {event.type for event in SAMPLES} == EVENT_BY_TYPE.keys()


@pytest.mark.parametrize(("n", "event"), NUMBERED)
def test_golden_bytes_are_read_as_what_was_said(n: int, event: Event) -> None:
    entry = decode(GOLDEN[n - 1])
    assert entry == (f"command/{n}", event.type, TIME, event.subject, event)
    assert type(entry.event) is type(event)


def test_an_entry_is_a_cloudevent() -> None:
    assert orjson.loads(encoded(PolicyDefined(policy="07", name="Zdrowie"))) == {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "id": "command/1",
        "source": "ledger.example/x",
        "type": "civic.policy.defined.v1",
        "subject": "policy/07",
        "time": TIME,
        "data": {"policy": "07", "name": "Zdrowie"},
    }


@pytest.mark.parametrize("entry", GOLDEN, ids=range(1, len(GOLDEN) + 1))
def test_canonical_means_sorted_and_nothing_to_spare(entry: bytes) -> None:
    value = orjson.loads(entry)
    assert orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == entry
    assert not any(isinstance(one, float) for one in values(value))
    assert None not in values(value)


def values(value: Any) -> list[Any]:
    """All values within a JSON document."""
    if isinstance(value, dict):
        return [inner for one in value.values() for inner in values(one)]
    if isinstance(value, list):
        return [inner for one in value for inner in values(one)]
    return [value]


def annotations(model: type[BaseModel], seen: set[type]) -> Iterator[Any]:
    """Every type that a model's fields, and those of the models within it, can hold."""
    seen.add(model)
    waiting = [field.annotation for field in model.model_fields.values()]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
            yield from annotations(one, seen)


@pytest.mark.parametrize("event", EVENT_BY_TYPE.values(), ids=lambda event: event.type)
def test_no_event_can_hold_a_float(event: type[Event]) -> None:
    found = list(annotations(event, set()))
    assert str in found
    assert float not in found
    assert Any not in found


def test_marks_with_a_fraction_are_no_event() -> None:
    with pytest.raises(ValidationError):
        Answer(area="aa", marks={"a": 1.5})  # type: ignore[dict-item]


NAMES = st.text(min_size=1, max_size=200).filter(str.strip)


@given(name=NAMES, parent=st.none() | st.just("07"))
def test_any_name_comes_back_as_it_was_said(name: str, parent: str | None) -> None:
    try:
        event = PolicyDefined(policy="07.1", name=name, parent=parent)
    except ValidationError:
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f]|[\ud800-\udfff]", name)
        return
    assert decode(encoded(event)).event == event
    assert event.name == name.strip()


@given(
    st.dictionaries(
        st.from_regex(r"[^\s\x00-\x1f\x7f]{1,20}", fullmatch=True),
        st.integers(-(2**53) + 1, 2**53 - 1),
        min_size=1,
    )
)
def test_any_marks_come_back_as_they_were_given(marks: dict[str, int]) -> None:
    event = ChoiceMade(question="q", voter=PERSON, answer=Answer(area="aa", marks=marks))
    entry = encoded(event)
    assert decode(entry).event == event
    backwards = dict(reversed(marks.items()))
    same = ChoiceMade(question="q", voter=PERSON, answer=Answer(area="aa", marks=backwards))
    assert encoded(same) == entry


@given(
    st.sampled_from(SAMPLES), st.datetimes(), st.from_regex(r"[0-9a-f]{32}/[1-9]", fullmatch=True)
)
def test_what_is_read_and_written_again_has_the_same_bytes(
    event: Event, moment: Any, id_: str
) -> None:
    time = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entry = encode(event, event_id=id_, source="ledger.example/x", time=time)
    read = decode(entry)
    assert (read.id, read.time, read.subject) == (id_, time, event.subject)
    assert encode(read.event, event_id=id_, source="ledger.example/x", time=time) == entry


def question_of(options: int, last: int) -> QuestionOpened:
    """A question with so many options with long titles, and one with a title of `last` letters."""
    lengths = [450] * options + [last]
    said = {"question": "q", "title": "Q", "area": "aa", "electorate": "aa", "opens": TIME}
    return QuestionOpened.model_validate(
        {
            **said,
            "method": {"kind": "single"},
            "options": [Option(id=str(n), title="x" * length) for n, length in enumerate(lengths)],
        }
    )


def test_an_entry_takes_65535_bytes_and_not_one_more() -> None:
    most = next(n for n in count(120) if len(encoded(question_of(n, 1))) > MAX_ENTRY - 470)
    spare = MAX_ENTRY - len(encoded(question_of(most, 1)))
    assert len(encoded(question_of(most, 1 + spare))) == MAX_ENTRY
    with pytest.raises(Refused, match="at most 65,535 fit") as refused:
        encoded(question_of(most, 2 + spare))
    assert refused.value.reason is Reason.ENTRY_TOO_LARGE


def entry_of(type_: str, data: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {"id": "x/1", "type": type_, "time": TIME, "subject": "policy/07", "data": data}
    )


@pytest.mark.parametrize(
    ("type_", "data", "said"),
    [
        ("civic.policy.abolished.v1", {}, "there is no type 'civic.policy.abolished.v1'"),
        ("civic.policy.defined.v2", {"policy": "07", "name": "x"}, "there is no type"),
        ("civic.policy.defined.v1", {"policy": "07"}, "name\n  Field required"),
        ("civic.policy.defined.v1", {"policy": "07", "name": "x", "more": 1}, "more\n  Extra"),
        ("civic.policy.defined.v1", {"policy": 7, "name": "x"}, "valid string"),
        ("civic.request.rated.v1", {"request": "r", "rating": 4.0}, "valid integer"),
    ],
)
def test_what_this_version_cannot_read_is_never_skipped(
    type_: str, data: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnknownEvent, match="event x/1") as unknown:
        decode(entry_of(type_, data))
    assert said in str(unknown.value)


def test_old_versions_are_lifted_step_by_step_when_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upcasters = {
        "civic.policy.defined.v-1": (
            "civic.policy.defined.v0",
            lambda data: {"code": data["number"], "label": data["label"]},
        ),
        "civic.policy.defined.v0": (
            "civic.policy.defined.v1",
            lambda data: {"policy": data["code"], "name": data["label"]},
        ),
    }
    monkeypatch.setattr(codec, "UPCASTERS", upcasters)
    lifted = PolicyDefined(policy="07", name="Health")
    for type_, data in (
        ("civic.policy.defined.v-1", {"number": "07", "label": "Health"}),
        ("civic.policy.defined.v0", {"code": "07", "label": "Health"}),
        ("civic.policy.defined.v1", {"policy": "07", "name": "Health"}),
    ):
        entry = decode(entry_of(type_, data))
        assert (entry.type, entry.event) == ("civic.policy.defined.v1", lifted)
