"""The fields of every event: which there must be, which there may be, and what they hold (docs/events.md)."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from services.audit.values import (
    Check,
    between,
    has,
    is_amount,
    is_area,
    is_digest,
    is_flag,
    is_id,
    is_instant,
    is_number,
    is_object,
    is_option,
    is_pseudonym,
    is_title,
    is_vkey,
    is_words,
    list_of,
    one_of,
)

Subject = Callable[[Mapping[str, Any]], str]


class Shape(NamedTuple):
    """What an event of one type holds, and what its `subject` says that it is about."""

    subject: Subject
    required: Mapping[str, Check]
    optional: Mapping[str, Check]


def _about(what: str) -> Subject:
    return lambda data: f"{what}/{data[what]}"


def _roll(_data: Mapping[str, Any]) -> str:
    return "roll"


_AREA, _POLICY, _ORGANISATION = _about("area"), _about("policy"), _about("organisation")
_QUESTION, _SERVICE, _REQUEST = _about("question"), _about("service"), _about("request")

_OPTIONS = list_of(
    has({"id": is_option, "title": is_title}, {"cost": is_amount, "organisation": is_id}),
    most=1_000,
    least=1,
)
_EVIDENCE = list_of(has({"title": is_title, "address": is_title}, {"sha256": is_digest}), most=50)
_OPTION_IDS = list_of(is_option, most=1_000)
_OFFER = {"service": is_id, "offer": is_id}
_NOTED = Shape(_REQUEST, {"request": is_id}, {"private": is_digest})

SHAPES: dict[str, Shape] = {
    "civic.area.defined.v1": Shape(
        _AREA,
        {"area": is_area, "name": is_title, "kind": one_of("territory", "community")},
        {"ocd_id": is_title},
    ),
    "civic.area.amended.v1": Shape(
        _AREA, {"area": is_area}, {"name": is_title, "publishable": is_flag}
    ),
    "civic.area.retired.v1": Shape(_AREA, {"area": is_area}, {}),
    "civic.policy.defined.v1": Shape(
        _POLICY, {"policy": is_id, "name": is_title}, {"parent": is_id}
    ),
    "civic.policy.amended.v1": Shape(_POLICY, {"policy": is_id, "name": is_title}, {}),
    "civic.citizen.registered.v1": Shape(
        _roll, {"person": is_pseudonym, "home": is_area}, {"private": is_digest}
    ),
    "civic.citizen.moved.v1": Shape(
        _roll, {"person": is_pseudonym, "home": is_area}, {"origin": is_area}
    ),
    "civic.citizen.joined.v1": Shape(_roll, {"person": is_pseudonym, "area": is_area}, {}),
    "civic.citizen.left.v1": Shape(_roll, {"person": is_pseudonym, "area": is_area}, {}),
    "civic.organisation.registered.v1": Shape(
        _ORGANISATION,
        {
            "organisation": is_id,
            "name": is_title,
            "kind": one_of("public-body", "company", "association", "party", "person"),
            "area": is_area,
        },
        {"about": is_words},
    ),
    "civic.question.opened.v1": Shape(
        _QUESTION,
        {
            "question": is_id,
            "title": is_title,
            "area": is_area,
            "electorate": is_area,
            "mandate": is_flag,
            "method": is_object,
            "options": _OPTIONS,
            "opens": is_instant,
            "results": one_of("live", "after_close"),
        },
        {
            "about": is_words,
            "policy": is_id,
            "closes": is_instant,
            "rule": is_object,
            "seal": is_digest,
        },
    ),
    "civic.question.amended.v1": Shape(
        _QUESTION,
        {"question": is_id},
        {"title": is_title, "about": is_words, "options": _OPTIONS, "closes": is_instant},
    ),
    "civic.question.closed.v1": Shape(_QUESTION, {"question": is_id}, {}),
    "civic.question.unsealed.v1": Shape(_QUESTION, {"question": is_id, "key": is_digest}, {}),
    "civic.key.rotated.v1": Shape(
        lambda _: "ledger/checkpoint-key", {"previous": is_vkey, "vkey": is_vkey}, {}
    ),
    "civic.digest.attested.v1": Shape(
        lambda data: f"ledger/model/{data['model']}",
        {
            "model": is_title,
            "version": is_amount,
            "position": is_amount,
            "digest": is_digest,
        },
        {},
    ),
    "civic.decision.recorded.v1": Shape(
        _QUESTION,
        {
            "question": is_id,
            "voters": is_number,
            "adopted": _OPTION_IDS,
            "tied": _OPTION_IDS,
            "reason": is_words,
        },
        {"by": is_id, "rule": is_object},
    ),
    "civic.outcome.reported.v1": Shape(
        _QUESTION,
        {
            "question": is_id,
            "option": is_option,
            "stage": one_of("planned", "under-way", "implemented", "abandoned"),
            "percent": between(0, 100),
            "evidence": _EVIDENCE,
        },
        {"by": is_id, "about": is_words},
    ),
    "civic.service.defined.v1": Shape(
        _SERVICE,
        {"service": is_id, "title": is_title, "area": is_area},
        {"about": is_words, "policy": is_id},
    ),
    "civic.offer.published.v1": Shape(
        _SERVICE, {**_OFFER, "organisation": is_id, "title": is_title}, {"about": is_words}
    ),
    "civic.offer.amended.v1": Shape(_SERVICE, _OFFER, {"title": is_title, "about": is_words}),
    "civic.offer.withdrawn.v1": Shape(_SERVICE, _OFFER, {}),
    "civic.arrangement.chosen.v1": Shape(
        _SERVICE, {**_OFFER, "holder": is_pseudonym}, {"previous": is_id}
    ),
    "civic.arrangement.ended.v1": Shape(_SERVICE, {**_OFFER, "holder": is_pseudonym}, {}),
    "civic.request.made.v1": Shape(
        _REQUEST,
        {
            "request": is_id,
            **_OFFER,
            "organisation": is_id,
            "area": is_area,
            "requester": is_pseudonym,
        },
        {"private": is_digest},
    ),
    "civic.request.acknowledged.v1": _NOTED,
    "civic.request.assigned.v1": Shape(
        _REQUEST, {"request": is_id, "unit": is_title}, {"private": is_digest}
    ),
    "civic.request.updated.v1": _NOTED,
    "civic.request.delivered.v1": _NOTED,
    "civic.request.declined.v1": _NOTED,
    "civic.request.confirmed.v1": _NOTED,
    "civic.request.disputed.v1": _NOTED,
    "civic.request.rated.v1": Shape(_REQUEST, {"request": is_id, "rating": between(1, 5)}, {}),
}
"""By type. The choices have a reader of their own (`form`), since most events are choices."""
