"""The pages: what a person reads, without a script."""

import re
from html.parser import HTMLParser

import pytest

from services.pages import pages
from tests.http.town import SLASHES, Town

PAGES = (
    "/areas",
    "/areas/t",
    "/areas/t/east",
    "/questions/plain",
    "/questions/sealed",
    "/questions/decided",
    f"/questions/{SLASHES}",
    "/policies",
    "/policies/07",
    "/organisations",
    "/organisations/works",
    "/problems",
    "/problems/illegal-marks",
)
VOID = {"meta", "link", "br", "hr", "img", "input", "rect"}


class Outline(HTMLParser):
    """The elements of a page, its ids and its headings; fails on what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def page(town: Town, path: str) -> str:
    answer = town.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_well_made(town: Town, path: str) -> None:
    text = page(town, path)
    outline = Outline(text)
    assert text.startswith("<!doctype html>\n<html lang=")
    assert {"main", "header", "footer", "nav", "h1"} <= set(outline.elements)
    assert outline.elements.count("h1") == 1
    assert "script" not in outline.elements
    assert "style" not in outline.elements
    assert not [name for name, _ in outline.attributes if name == "style" or name.startswith("on")]
    assert 'class="skip" href="#main"' in text
    ids = [value for name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert outline.elements.count("table") == outline.elements.count("caption")


@pytest.mark.parametrize("path", PAGES[:-2])
def test_every_page_states_its_position_and_time(town: Town, path: str) -> None:
    text = page(town, path)
    assert re.search(r"<strong>position [\d,]+</strong>", text)
    assert re.search(r'<time datetime="20\d\d-\d\d-\d\dT[\d:.]+Z">', text)


def test_the_first_page_is_the_topmost_area(town: Town) -> None:
    answer = town.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/areas/t")


def test_the_page_of_an_area_has_its_parts(town: Town) -> None:
    text = page(town, "/areas/t")
    for part in (
        'href="/areas/t/east"',
        'href="/areas/t/club"',
        "Work for all",
        "Health",
        'href="/questions/plain"',
        "Under way",
        "40 %",
        "Repair",
        "Made",
    ):
        assert part in text
    assert 'href="/areas/t">Town</a>' in page(town, "/areas/t/east")


def test_what_people_write_is_shown_as_they_wrote_it(town: Town) -> None:
    text = page(town, "/areas/t/east")
    assert "East &amp; &lt;b&gt;Side&lt;/b&gt;" in text
    assert "<b>Side" not in text


def test_a_sealed_question_shows_turnout_only(town: Town) -> None:
    for path in ("/areas/t", "/questions/sealed"):
        text = page(town, path)
        assert "Sealed: " in text
    count = page(town, "/questions/sealed").split('id="counted"')[1].split("</section>")[0]
    assert 'class="figure"' not in count
    assert "1 person have chosen" not in count


def test_counted_decided_and_implemented_stand_apart(town: Town) -> None:
    text = page(town, "/questions/decided")
    headings = re.findall(r'<h2 id="(\w+)">', text)
    assert headings[:3] == ["counted", "decided", "implemented"]
    assert "adopted" in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/areas/none", 404),
        ("/questions/none", 404),
        ("/policies/none", 404),
        ("/organisations/none", 404),
        ("/areas?offset=1000", 404),
        ("/areas?offset=1_0", 422),
        ("/nowhere", 404),
        ("/problems/none", 404),
    ],
)
def test_a_browser_gets_errors_as_pages(town: Town, path: str, status: int) -> None:
    accept = "text/html,application/xhtml+xml,*/*;q=0.8"
    answer = town.client.get(path, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="/problems/' in answer.text
    api = town.client.get(f"/api/v1{path}", headers={"Accept": accept})
    assert api.headers["content-type"] == "application/problem+json"


def test_a_policy_area_and_an_organisation_lead_to_each_other(town: Town) -> None:
    area = page(town, "/areas/t")
    assert 'href="/policies/07"' in area
    assert 'href="/organisations/works"' in area
    policy = page(town, "/policies/07")
    for part in ('href="/questions/mandate/07">Town', "Work for all", 'href="/areas/t">Town'):
        assert part in policy
    organisation = page(town, "/organisations/works")
    for part in ("Company of", 'href="/policies/07">Health', ">leads<", "reported an outcome"):
        assert part in organisation
    assert 'href="/organisations/works">Works' in page(town, "/organisations")


def test_all_areas_by_pages(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 2)
    first = page(town, "/areas")
    assert 'href="/areas?offset=2" rel="next"' in first
    assert 'rel="prev"' not in first
    second = page(town, "/areas?offset=2")
    assert 'href="/areas?offset=0" rel="prev"' in second
    assert 'rel="next"' not in second
    assert 'href="/areas/t/east"' in second


def test_files_of_the_pages_are_served(town: Town) -> None:
    assert town.client.get("/static/civic.css").headers["content-type"].startswith("text/css")
    assert town.client.get("/static/icon.svg").status_code == 200
    assert town.client.get("/static/../pages.py").status_code == 404
    assert town.client.get("/static/%2e%2e/pages.py").status_code == 404
