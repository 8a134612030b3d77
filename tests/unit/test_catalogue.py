"""The catalogue: names that are frozen for ever, and nothing that is left out of it."""

import re
from collections.abc import Iterator

import pytest

from ledger.domain.catalogue import COMMAND_BY_VERB, COMMANDS, EVENT_BY_TYPE, EVENTS
from ledger.domain.deciding import Command
from ledger.domain.event import Event
from tests.unit.samples import PERSON, SAMPLES

FROZEN = [
    "civic.area.amended.v1",
    "civic.area.defined.v1",
    "civic.area.retired.v1",
    "civic.arrangement.chosen.v1",
    "civic.arrangement.ended.v1",
    "civic.choice.changed.v1",
    "civic.choice.lapsed.v1",
    "civic.choice.made.v1",
    "civic.choice.withdrawn.v1",
    "civic.citizen.joined.v1",
    "civic.citizen.left.v1",
    "civic.citizen.moved.v1",
    "civic.citizen.registered.v1",
    "civic.decision.recorded.v1",
    "civic.digest.attested.v1",
    "civic.key.rotated.v1",
    "civic.offer.amended.v1",
    "civic.offer.published.v1",
    "civic.offer.withdrawn.v1",
    "civic.organisation.registered.v1",
    "civic.outcome.reported.v1",
    "civic.policy.amended.v1",
    "civic.policy.defined.v1",
    "civic.question.amended.v1",
    "civic.question.closed.v1",
    "civic.question.opened.v1",
    "civic.question.unsealed.v1",
    "civic.request.acknowledged.v1",
    "civic.request.assigned.v1",
    "civic.request.confirmed.v1",
    "civic.request.declined.v1",
    "civic.request.delivered.v1",
    "civic.request.disputed.v1",
    "civic.request.made.v1",
    "civic.request.rated.v1",
    "civic.request.updated.v1",
    "civic.service.defined.v1",
]
"""A type may be added; none may ever go or change: the logs of others hold them."""


def kinds_of(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("ledger."):
            yield kind
            yield from kinds_of(kind)


def test_the_types_are_frozen() -> None:
    assert sorted(EVENT_BY_TYPE) == FROZEN


def test_types_are_unique_and_well_formed() -> None:
    types = [event.type for family in EVENTS.values() for event in family]
    assert len(types) == len(set(types))
    for type_ in types:
        assert re.fullmatch(r"civic\.[a-z]+\.[a-z]+\.v[1-9][0-9]*", type_)


def test_verbs_are_unique_and_well_formed() -> None:
    verbs = [command.verb for family in COMMANDS.values() for command in family]
    assert len(verbs) == len(set(verbs)) == len(COMMAND_BY_VERB)
    for verb in verbs:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", verb)


def test_every_event_and_every_command_there_is_stands_in_the_catalogue() -> None:
    events = {kind for kind in kinds_of(Event) if hasattr(kind, "type")}
    commands = {kind for kind in kinds_of(Command) if hasattr(kind, "verb")}
    assert events == set(EVENT_BY_TYPE.values())
    assert commands == set(COMMAND_BY_VERB.values())


def test_events_and_commands_come_in_the_same_families() -> None:
    assert EVENTS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("kind", [*EVENT_BY_TYPE.values(), *COMMAND_BY_VERB.values()])
def test_each_says_what_it_is(kind: type) -> None:
    assert kind.__doc__
    assert kind.__doc__ != (kind.__mro__[1].__doc__ or "")


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.type)
def test_the_subject_is_never_a_person(event: Event) -> None:
    kinds = ("area/", "policy/", "organisation/", "question/", "service/", "request/", "ledger/")
    assert event.subject == "roll" or event.subject.startswith(kinds)
    assert PERSON not in event.subject


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.type)
def test_events_are_frozen(event: Event) -> None:
    name = next(iter(type(event).model_fields))
    with pytest.raises(ValueError, match="frozen"):
        setattr(event, name, None)
