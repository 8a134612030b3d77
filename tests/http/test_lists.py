"""Lists: filters, sorting, pages, formats; and how a count stood. Never an empty success for what there is not."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import Response

from ledger.domain.organisations import RegisterOrganisation
from ledger.domain.questions import OpenQuestion
from services.exports import TALLY_COLUMNS
from tests.http.town import YES_NO, Town, served

LISTS = (
    "areas",
    "areas/t/questions",
    "areas/t/mandates",
    "areas/t/decisions",
    "areas/t/promises",
    "areas/t/days",
    "questions",
    "questions/plain/tallies",
    "questions/plain/history",
    "policies",
    "policies/07/areas",
    "policies/07/mandates",
    "policies/07/decisions",
    "policies/07/promises",
    "organisations",
    "organisations/works/mandates",
    "organisations/works/duties",
    "organisations/works/promises",
)
FORMULA = '=HYPERLINK("x"), the "best" of\nall'


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town with a second item in most lists."""
    with served(tmp_path_factory.mktemp("listed")) as town:
        give = town.system.ledger.execute
        give(RegisterOrganisation(organisation="odd", name=FORMULA, kind="person", area="t/east"))
        asked = {"title": "@home?", "method": {"kind": "single"}, "options": YES_NO}
        give(OpenQuestion.model_validate({"question": "more", "area": "t", **asked}))
        for who, marks in (("ada", {"yes": 1}), ("cleo", {"no": 1}), ("dora", {"no": 1})):
            town.choose(who, "plain", marks)
        made = town.choose("ben", "mandate/07", {"works": 1}).json()["position"]
        town.give("operator", "record-decision", {"question": "mandate/07", **BY_HAND})
        done = town.give("operator", "report-outcome", OUTCOME).json()["position"]
        assert done > made
        town.read("areas", wait_for=done)
        yield town


BY_HAND = {"adopted": ["works"], "reason": "They lead.", "by": "works"}
OUTCOME = {
    "question": "mandate/07",
    "option": "works",
    "stage": "implemented",
    "percent": 100,
    "by": "works",
}


def asked(town: Town, path: str, **headers: str) -> Response:
    return town.client.get(f"/api/v1/{path}", headers=headers)


def links(answer: Response) -> dict[str, str]:
    return {name: one["url"] for name, one in answer.links.items() if name is not None}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_says_where_its_page_stands(own: Town, path: str) -> None:
    answer = asked(own, path)
    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert told["total"] == len(told["items"]) > 0
    assert (told["offset"], told["limit"]) == (0, 100)
    assert told["position"] > 0
    assert set(links(answer)) == {"first", "last"}


@pytest.mark.parametrize("path", LISTS)
def test_following_the_links_gives_the_whole_list(own: Town, path: str) -> None:
    whole = asked(own, path).json()["items"]
    found: list[Any] = []
    at: str | None = f"{path}?limit=1"
    backwards = []
    while at is not None:
        page = asked(own, at)
        found += page.json()["items"]
        assert len(page.json()["items"]) == 1
        if "prev" in links(page):
            backwards.append(links(page)["prev"])
        assert links(page)["last"].endswith(f"offset={len(whole) - 1}")
        following = links(page).get("next")
        at = None if following is None else path + following
    assert found == whole
    assert len(backwards) == len(whole) - 1


def test_links_keep_the_filters(own: Town) -> None:
    answer = asked(own, "questions?area=t&sort=-title&limit=2&wait_for=1")
    assert links(answer)["next"] == "?area=t&sort=-title&limit=2&offset=2"
    both = asked(own, "questions" + links(answer)["next"]).json()["items"]
    titles = [one["title"] for one in answer.json()["items"] + both]
    assert titles == sorted(titles, reverse=True)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("offset=100000", 404, "no-such-page"),
        ("limit=0", 422, "invalid-request"),
        ("limit=1001", 422, "invalid-request"),
        ("limit=1_0", 422, "invalid-request"),
        ("limit=", 422, "invalid-request"),
        ("limit=ten", 422, "invalid-request"),
        ("offset=-1", 422, "invalid-request"),
        ("offset=9007199254740992", 422, "invalid-request"),
    ],
)
def test_an_impossible_page_is_a_problem(
    own: Town, path: str, query: str, status: int, problem: str
) -> None:
    answer = asked(own, f"{path}?{query}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert answer.headers["content-type"] == "application/problem+json"


def sorts(town: Town) -> Iterator[tuple[str, list[str]]]:
    document = town.client.get("/api/v1/openapi.json").json()
    for path in LISTS:
        pattern = path
        for given, name in (
            ("areas/t/", "areas/{area}/"),
            ("questions/plain/", "questions/{question}/"),
            ("policies/07/", "policies/{policy}/"),
            ("organisations/works/", "organisations/{organisation}/"),
        ):
            pattern = pattern.replace(given, name)
        parameters = document["paths"][f"/api/v1/{pattern}"]["get"]["parameters"]
        yield (
            path,
            [
                one
                for parameter in parameters
                if parameter["name"] == "sort"
                for one in parameter["schema"]["enum"]
            ],
        )


def test_every_order_that_is_documented_orders(own: Town) -> None:
    tried = 0
    for path, orders in sorts(own):
        whole = asked(own, path).json()["items"]
        for order in orders:
            answer = asked(own, f"{path}?sort={order}")
            assert answer.status_code == 200, answer.text
            items = answer.json()["items"]
            assert sorted(map(str, items)) == sorted(map(str, whole))
            values = [_value(one, order.removeprefix("-")) for one in items]
            assert values == sorted(values, reverse=order.startswith("-")), (path, order)
            tried += 1
    assert tried > 50


def _value(item: dict[str, Any], name: str) -> Any:
    return (item | item.get("figures", {})).get(name, 0)


@pytest.mark.parametrize(
    "path",
    [
        "areas?parent=nowhere",
        "areas/nowhere",
        *(f"areas/nowhere/{one}" for one in ("questions", "mandates", "decisions", "promises")),
        "areas/nowhere/days",
        "areas/t/questions?policy=99",
        "areas/t/questions?asked_by=nowhere",
        "areas/t/mandates?policy=99",
        "questions?area=nowhere",
        "questions?policy=99",
        "questions/unheard-of",
        *(f"questions/unheard-of/{one}" for one in ("tally", "tallies", "history", "decision")),
        "questions/plain/tally?area=nowhere",
        "questions/plain/tally?area=nowhere&at=30",
        "questions/plain/history?area=nowhere",
        "policies?parent=99",
        "policies/99",
        *(f"policies/99/{one}" for one in ("areas", "mandates", "decisions", "promises")),
        "policies/07/areas?within=nowhere",
        "organisations?within=nowhere",
        "organisations/nobody",
        *(f"organisations/nobody/{one}" for one in ("mandates", "duties", "promises")),
        "organisations/works/mandates?policy=99",
    ],
)
def test_what_is_not_there_is_not_found(own: Town, path: str) -> None:
    answer = asked(own, path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), answer.text


@pytest.mark.parametrize(
    "query", ["sort=colour", "stage=ajar", "mandate=maybe", "mandate=1", "policy=", "area=%00"]
)
def test_a_filter_that_makes_no_sense_is_a_problem(own: Town, query: str) -> None:
    answer = asked(own, f"questions?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, query.split("=")[0])


def test_what_a_filter_leaves(own: Town) -> None:
    def questions(path: str) -> list[str]:
        return [one["question"] for one in asked(own, path).json()["items"]]

    assert questions("questions?mandate=true") == ["mandate/07"]
    assert questions("questions?stage=closed") == ["decided"]
    assert questions("questions?policy=07") == ["mandate/07"]
    assert questions("areas/t/mandates?below=true&policy=07") == ["mandate/07"]
    assert questions("organisations/works/mandates?leads=true&holds=true") == ["mandate/07"]
    assert questions("organisations/works/mandates?leads=false") == []
    assert questions("policies/07/promises?fate=kept") == ["mandate/07"]
    assert asked(own, "policies/07/promises?fate=broken").json()["total"] == 0


# Formats


@pytest.mark.parametrize("path", [*LISTS, "questions/plain/tally"])
def test_a_list_as_csv_has_the_items_of_the_list(own: Town, path: str) -> None:
    told = asked(own, path).json()
    answer = asked(own, path, Accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["vary"] == "Accept"
    assert answer.text.endswith("\r\n")
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""), strict=True)
    assert all(len(row) == len(head) for row in rows)
    if "tall" in path:
        assert tuple(head) == TALLY_COLUMNS
        counted = told.get("items", [told])
        assert len(rows) == sum(len(one["options"]) for one in counted)
    else:
        assert len(rows) == len(told["items"])
        assert set(head) >= {name for name in told["items"][0] if name != "figures"}


def test_csv_is_that_of_rfc_4180_and_no_formula(own: Town) -> None:
    text = asked(own, "organisations?kind=person", Accept="text/csv").text
    quoted = '"\'=HYPERLINK(""x""), the ""best"" of\nall"'
    assert text == (
        "organisation,name,kind,area,programmes,decisions,pending,kept,broken,dropped\r\n"
        f"odd,{quoted},person,t/east,0,0,0,0,0,0\r\n"
    )
    titles = [
        row["title"]
        for row in csv.DictReader(
            io.StringIO(asked(own, "questions", Accept="text/csv").text, newline="")
        )
    ]
    assert "'@home?" in titles


def test_csv_of_what_has_parts(own: Town) -> None:
    text = asked(own, "policies/07/areas", Accept="text/csv").text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["area"], row["figures_mandates"], row["figures_kept"]) == ("t", "1", "1")
    text = asked(own, "areas/t/mandates", Accept="text/csv").text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["sealed"], row["holding"]) == ("false", '["works"]')


@pytest.mark.parametrize("path", ["areas", "areas/t", "citizens/me/timeline", "tallies.csv"])
def test_another_format_is_not_given(own: Town, path: str) -> None:
    answer = own.client.get(
        f"/api/v1/{path}", headers={**own.bearer("ada"), "Accept": "application/xml, image/*"}
    )
    assert (answer.status_code, answer.json()["type"]) == (406, "/problems/not-acceptable")
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_no_list_is_not_given_as_csv(own: Town) -> None:
    assert asked(own, "areas/t", Accept="text/csv").status_code == 406
    assert asked(own, "areas/t", Accept="text/csv, */*;q=0.1").status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_each_format_has_a_tag_of_its_own(own: Town, path: str) -> None:
    tags = {}
    for kind in ("application/json", "text/csv"):
        answer = asked(own, path, Accept=kind)
        tags[kind] = answer.headers["etag"]
        again = own.client.get(
            f"/api/v1/{path}", headers={"Accept": kind, "If-None-Match": tags[kind]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["vary"]) == (tags[kind], "Accept")
    assert tags["application/json"] != tags["text/csv"]
    position = asked(own, path).json()["position"]
    assert tags["text/csv"].startswith(f'"{position}.')


# How it stood


def tally(town: Town, query: str = "") -> dict[str, Any]:
    answer = asked(town, f"questions/plain/tally{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def counted(told: dict[str, Any]) -> dict[str, int]:
    return {one["id"]: one["count"] for one in told["options"]}


def test_a_count_at_a_position_is_for_ever(own: Town) -> None:
    made = own.choose("dora", "plain", {"yes": 1}).json()["position"]
    then = tally(own, f"?at={made}")
    assert (then["position"], counted(then)) == (made, {"yes": 2, "no": 1})
    assert counted(tally(own, f"?at={made - 1}")) == {"yes": 1, "no": 2}
    tag = asked(own, f"questions/plain/tally?at={made}").headers["etag"]
    changed = own.choose("dora", "plain", {"no": 1}).json()["position"]
    assert counted(tally(own, f"?wait_for={changed}")) == {"yes": 1, "no": 2}
    assert tally(own, f"?at={made}") == then
    again = asked(own, f"questions/plain/tally?at={made}", **{"If-None-Match": tag})
    assert again.status_code == 304
    assert tally(own, f"?at={changed}") == tally(own) | {"position": changed}


def test_a_count_on_a_day(own: Town) -> None:
    today = datetime.now(UTC).date()
    now = tally(own, f"?on={today}")
    assert now.pop("day") == str(today)
    assert now == tally(own)
    rows = asked(own, "questions/plain/history").json()["items"]
    assert (rows[-1]["day"], rows[-1]["voters"]) == (str(today), now["voters"])
    assert asked(own, f"questions/plain/history?from={today}&to={today}").json()["total"] == 1


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("at=999999", 404, "in-the-future"),
        ("at=1", 404, "not-found"),
        ("at=0", 422, "invalid-request"),
        ("at=-1", 422, "invalid-request"),
        ("at=1_0", 422, "invalid-request"),
        (f"on={datetime.now(UTC).date() + timedelta(days=2)}", 404, "in-the-future"),
        ("on=2020-01-01", 404, "not-found"),
        ("on=2026-02-30", 422, "invalid-request"),
        ("on=20260101", 422, "invalid-request"),
        ("on=2026-W01-1", 422, "invalid-request"),
        ("on=1767225600", 422, "invalid-request"),
        ("on=yesterday", 422, "invalid-request"),
        ("on=2026-01-01&at=5", 422, "invalid-request"),
    ],
)
def test_a_moment_that_there_is_not_is_a_problem(
    own: Town, query: str, status: int, problem: str
) -> None:
    answer = asked(own, f"questions/plain/tally?{query}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


@pytest.mark.parametrize("path", ["areas/t/days", "questions/plain/history"])
def test_days_come_in_their_order(own: Town, path: str) -> None:
    answer = asked(own, f"{path}?from=2026-02-02&to=2026-02-01")
    assert (answer.status_code, answer.json()["field"]) == (422, "to")


@pytest.mark.parametrize("path", ["tally", "tally?at=LAST", "tally?on=TODAY", "tallies", "history"])
def test_of_a_sealed_question_nothing_is_told(own: Town, path: str) -> None:
    path = path.replace("LAST", str(own.system.log.head()))
    path = path.replace("TODAY", str(datetime.now(UTC).date()))
    for accept in ("application/json", "text/csv"):
        answer = asked(own, f"questions/sealed/{path}", Accept=accept)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/still-sealed")


# Citizens


def test_ones_own_timeline(own: Town) -> None:
    told = own.read("citizens/me/timeline", "ada", sort="position", limit=1).json()
    assert [one["type"] for one in told["items"]] == ["civic.citizen.registered.v1"]
    assert told["total"] > 1
    answer = own.client.get(
        "/api/v1/citizens/me/timeline", headers={**own.bearer("ada"), "Accept": "text/csv"}
    )
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert answer.text.startswith("at,time,type,subject\r\n")
    assert own.read("citizens/me/timeline").status_code == 401
    assert own.read("citizens/me/timeline", "works").status_code == 403
    past = own.read("citizens/me/timeline", "ada", offset=1000)
    assert past.json()["type"] == "/problems/no-such-page"


def test_a_list_waits_for_ones_own_write_and_a_count_for_its_position(own: Town) -> None:
    for number in range(30):
        marks = {("yes", "no")[number % 2]: 1}
        made = own.choose("cleo", "plain", marks).json()["position"]
        assert tally(own, f"?at={made}")["position"] == made
        made = own.choose("dora", "plain", marks).json()["position"]
        told = own.read("questions/plain/tallies", wait_for=made).json()
        assert told["position"] >= made
