"""The made-up town, with all that a ledger does: nothing is wrong with it, and what it publishes is what it counts."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.domain.catalogue import EVENT_BY_TYPE
from ledger.eventlog.port import EVERYTHING
from ledger.transparency.keys import VerifierKey
from ledger.transparency.tiles import TILE_WIDTH, Bundle
from projections.queries.areas import area_questions
from projections.queries.lookups import MOST, Page
from services.assembly import assembled
from services.audit import parallel
from services.audit.bundles import Examined
from services.audit.findings import Kind
from services.audit.report import Report
from services.audit.source import CannotRead, Source
from services.settings import Settings
from services.town import build
from tests.audit.auditing import audited, folder_of, found
from tests.http.process import serving


@dataclass(frozen=True)
class Town:
    entries: list[bytes]
    folder: Path
    published: Path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    base = tmp_path_factory.mktemp("town")
    urls = {name: f"sqlite:///{base}/{name}.sqlite" for name in ("log", "store", "vault")}
    with assembled(Settings(**urls)) as system:
        build(system)
        entries = [record.entry for record in system.log.select(EVERYTHING)]
        queries, published = system.queries, base / "published"
        questions, areas = queries.questions(), queries.areas()
        _write(
            published / "tallies.json", [one.model_dump(mode="json") for one in queries.tallies()]
        )
        _write(published / "questions.json", questions.model_dump(mode="json"))
        _write(published / "areas.json", areas.model_dump(mode="json"))
        for question in questions.items:
            view = queries.question(question.question).model_dump(mode="json")
            _write(published / f"questions/{question.question}.json", view)
        for area in areas.items:
            view = queries.area(area.area).model_dump(mode="json")
            _write(published / f"areas/{area.area}.json", view)
            listed = queries.ask(area_questions, area.area, Page(MOST), "position")
            _write(published / f"areas/{area.area}/questions.json", listed.model_dump(mode="json"))
    return Town(entries, folder_of(base / "public", entries), published)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(content))


def test_nothing_is_wrong_with_the_town(town: Town) -> None:
    report = audited(town.folder, published=str(town.published))
    assert report.findings.listed() == []
    numbers = report.numbers
    assert numbers.entries == len(town.entries)
    assert numbers.people == 300
    assert numbers.decisions > 50
    assert numbers.documents > 200
    assert numbers.figures > 5_000
    happened = {f"civic.{name}.v1" for name, number in numbers.events.items() if number}
    written = {orjson.loads(entry)["type"] for entry in town.entries}
    assert happened == written
    assert written <= EVENT_BY_TYPE.keys()
    assert any("sealed questions" in one for one in report.unchecked)


def content(report: Report) -> dict[str, Any]:
    """All that it says but how it was made."""
    document = report.document()
    return {key: one for key, one in document.items() if key not in ("at", "seconds", "recount")}


@pytest.mark.parametrize(
    "options", [{"workers": 2}, {"recount": "duckdb"}, {"workers": 3, "recount": "duckdb"}]
)
def test_however_it_is_counted_the_report_is_the_same(town: Town, options: dict[str, Any]) -> None:
    if "recount" in options:
        pytest.importorskip("duckdb")
    published = str(town.published)
    expected = content(audited(town.folder, published=published))
    assert content(audited(town.folder, published=published, **options)) == expected


@pytest.mark.parametrize("recount", ["python", "duckdb"])
def test_in_steps_it_comes_to_the_same(town: Town, tmp_path: Path, recount: str) -> None:
    """Each step knows only what its state file holds, and what is new."""
    if recount == "duckdb":
        pytest.importorskip("duckdb")
    state, sizes = tmp_path / "state", [0, 1, 255, 256, 700, 701, 2_000, 2_048, 3_000]
    for step, size in enumerate([*(s for s in sizes if s < len(town.entries)), len(town.entries)]):
        folder = folder_of(tmp_path / str(step), town.entries[:size])
        report = audited(folder, state=state, recount=recount)
        assert report.findings.listed() == [], size
        assert report.numbers.entries == size
    whole = audited(town.folder, published=str(town.published))
    steps = audited(town.folder, state=state, recount=recount, published=str(town.published))
    assert steps.numbers.new == 0
    assert steps.numbers.figures == whole.numbers.figures
    assert steps.findings.listed() == []
    for name in ("questions", "numbers"):
        ours, theirs = steps.document()[name], whole.document()[name]
        if name == "numbers":
            ours, theirs = (
                {k: v for k, v in one.items() if k not in ("new", "tiles")}
                for one in (ours, theirs)
            )
        assert ours == theirs


# What is published


Document = dict[str, Any]


def _off_by_one(view: Document) -> None:
    option = max(view["tally"]["options"], key=lambda one: one["count"])
    option["count"] += 1


def _voters(view: Document) -> None:
    view["voters"] -= 1


def _marks(view: Document) -> None:
    view["tally"]["options"][0]["by_mark"]["1"] = 10_000


def _roll(view: Document) -> None:
    view["roll"] += 1


def _decided(view: Document) -> None:
    view["decision"]["adopted"] = view["decision"]["adopted"][1:]


def _stage(view: Document) -> None:
    view["stage"] = "open"


def _area_option(view: Document) -> None:
    next(one for one in view["questions"] if one["options"])["options"][0]["count"] += 1


def _left_out(listed: Document) -> None:
    listed["items"] = [one for one in listed["items"] if not one["voters"]]
    listed["total"] = len(listed["items"])


def _item_off_by_one(listed: Document) -> None:
    listed["items"][0]["voters"] += 1


def _requests(view: Document) -> None:
    view["requests"][0]["requests"] += 1


def _form(view: Document) -> None:
    view["questions"] = None


PUBLISHED: dict[str, tuple[str, Callable[[Document], None]]] = {
    "a tally off by one": ("questions/lindhaven/improvements.json", _off_by_one),
    "a voter less": ("questions/lindhaven/improvements.json", _voters),
    "other marks": ("questions/lindhaven/improvements.json", _marks),
    "a larger roll": ("questions/lindhaven/improvements.json", _roll),
    "another decision": ("questions/lindhaven/improvements.json", _decided),
    "another stage": ("questions/lindhaven/improvements.json", _stage),
    "an area's tally off by one": ("areas/velmora/lindhaven.json", _area_option),
    "an area's question left out": ("areas/velmora/lindhaven/questions.json", _left_out),
    "an area's list off by one": ("areas/velmora/lindhaven/questions.json", _item_off_by_one),
    "an area's roll": ("areas/velmora.json", _roll),
    "a request more": ("areas/velmora.json", _requests),
    "a document of another form": ("areas/velmora.json", _form),
}


@contextmanager
def tampered(file: Path, change: Callable[[Any], None]) -> Iterator[None]:
    before = file.read_bytes()
    document = orjson.loads(before)
    change(document)
    file.write_bytes(orjson.dumps(document))
    try:
        yield
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("what", PUBLISHED)
def test_a_published_figure_that_is_not_counted(town: Town, what: str) -> None:
    name, change = PUBLISHED[what]
    with tampered(town.published / name, change):
        report = audited(town.folder, published=str(town.published))
    assert found(report) == {(Kind.TALLY, len(town.entries))}
    assert {one.file for one in report.findings.listed()} == {name}


def test_a_published_tally_off_by_one(town: Town) -> None:
    def change(tallies: list[Document]) -> None:
        next(one for one in tallies if one["voters"])["options"][0]["total"] += 1

    with tampered(town.published / "tallies.json", change):
        report = audited(town.folder, published=str(town.published))
    (finding,) = report.findings.listed()
    assert (finding.kind, finding.position, finding.file) == (
        Kind.TALLY,
        len(town.entries),
        "tallies.json",
    )


def test_results_of_an_earlier_position_are_compared_there(town: Town, tmp_path: Path) -> None:
    """The log has gone on since: half of it is counted when the rules have come so far."""
    half = len(town.entries) // 2
    base = tmp_path / "half"
    report = audited(folder_of(base, town.entries[:half]))
    tallies = [
        {
            "question": one["question"],
            "area": one["area"],
            "position": half,
            "voters": one["voters"],
            "options": one["options"],
        }
        for one in report.document()["questions"]
        if one["stage"] != "sealed"
    ]
    _write(tmp_path / "published/tallies.json", {"tallies": tallies})
    again = audited(town.folder, published=str(tmp_path / "published"))
    assert again.clean
    assert again.numbers.documents == len(tallies) > 20
    tallies[0]["voters"] += 1
    _write(tmp_path / "published/tallies.json", {"tallies": tallies})
    assert found(audited(town.folder, published=str(tmp_path / "published"))) == {
        (Kind.TALLY, half)
    }


def test_results_of_a_position_that_was_audited_before_are_not_compared(
    town: Town, tmp_path: Path
) -> None:
    early = {"question": "x", "area": "y", "position": 5, "voters": 0, "options": []}
    _write(tmp_path / "published/tallies.json", [early])
    audited(folder_of(tmp_path / "log", town.entries[:100]), state=tmp_path / "state")
    report = audited(town.folder, state=tmp_path / "state", published=str(tmp_path / "published"))
    assert report.clean
    assert any("such as 5" in one for one in report.unchecked)


def test_there_must_be_something_to_compare_with(town: Town, tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="no published results"):
        audited(town.folder, published=str(tmp_path))
    (tmp_path / "tallies.json").write_text("[1]")
    with pytest.raises(CannotRead, match="does not hold results"):
        audited(town.folder, published=str(tmp_path))


# Over HTTP


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_over_http_it_says_the_same(town: Town, workers: int) -> None:
    expected = content(audited(town.folder))
    with served(town.folder.parent) as address:
        report = content(audited(f"{address}/public", workers=workers))
    assert report | {"log": None} == expected | {"log": None}


def test_over_http_what_is_missing_is_found(town: Town, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "log", town.entries[: 2 * TILE_WIDTH])
    (folder / "tile/entries/001").unlink()
    with served(folder) as address:
        assert (Kind.MISSING_FILE, TILE_WIDTH + 1) in found(audited(address))


def test_an_address_where_nobody_answers(tmp_path: Path) -> None:
    with served(tmp_path) as address, pytest.raises(CannotRead, match="no checkpoint"):
        audited(address)
    with pytest.raises(CannotRead, match=r"127\.0\.0\.1"):
        audited(address)
    for place in ("ftp://example.org", "http://", "http://x:y/", str(tmp_path / "none")):
        with pytest.raises(CannotRead):
            audited(place)


@pytest.mark.slow
def test_a_ledger_that_is_running(tmp_path: Path) -> None:
    """Its files, its key and its results, as anybody gets them: from its address alone."""
    with serving(tmp_path, "--sample-town") as server:
        vkey = server.get("/vkey").text.strip()
        options: dict[str, Any] = {
            "keys": (VerifierKey.parse(vkey),),
            "published": server.address,
            "state": tmp_path / "audited",
        }
        report = audited(server.address, **options)
        assert report.findings.listed() == []
        assert report.numbers.documents > 200
        assert report.statement is not None
        assert report.statement.signed_by == report.statement.checkpoint.origin
        again = audited(server.address, **options)
        assert again.findings.listed() == []
        assert again.numbers.new < report.numbers.new


def test_a_process_that_is_ended_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for one that the system has ended would wait for ever."""

    examine_all, this = parallel.examine_all, os.getpid()

    def ended(source: Source, bundles: Sequence[Bundle]) -> Iterator[Examined]:
        if os.getpid() != this:
            os.kill(os.getpid(), signal.SIGKILL)
        return examine_all(source, bundles)

    monkeypatch.setattr(parallel, "TOGETHER", 1)
    monkeypatch.setattr(parallel, "examine_all", ended)
    with pytest.raises(CannotRead, match="a process of the audit was ended"):
        audited(town.folder, workers=2)
