"""Imported real ballots: the auditor finds nothing wrong, and counts what the imports published."""

from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from ledger.eventlog.port import EVERYTHING
from services.audit.findings import Kind
from services.importers.pabulib import import_pabulib
from services.importers.polis import import_polis
from tests.audit.auditing import audited, folder_of, found
from tests.integration.importing import DATA, Ledger, needs_data

pytestmark = needs_data

ORIGIN = "ledger.example/civic"
DISTRICTS = ("Wola", "Wawer", "Rembertow")


class Log(NamedTuple):
    entries: list[bytes]
    folder: Path
    published: Path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    base = tmp_path_factory.mktemp("ballots")
    with Ledger(base).opened() as (system, run):
        files = [DATA / "pabulib" / f"Poland_Warszawa_2026_{one}.pb" for one in DISTRICTS]
        assert all(poll.report.faultless for poll in import_pabulib(run, files, ORIGIN))
        report, _ = import_polis(run, DATA / "polis" / "brexit-consensus", ORIGIN)
        assert report.faultless
        run.caught_up()
        entries = [record.entry for record in system.log.select(EVERYTHING)]
        tallies = [one.model_dump(mode="json") for one in system.queries.tallies()]
    published = base / "published"
    published.mkdir()
    (published / "tallies.json").write_bytes(orjson.dumps(tallies))
    return Log(entries, folder_of(base / "public", entries), published)


@pytest.mark.slow
@pytest.mark.parametrize("recount", ["python", "duckdb"])
def test_nothing_is_wrong_with_real_ballots(log: Log, recount: str) -> None:
    if recount == "duckdb":
        pytest.importorskip("duckdb")
    report = audited(log.folder, recount=recount, published=str(log.published))
    assert report.findings.listed() == []
    assert report.numbers.entries == len(log.entries) > 20_000
    assert report.numbers.decisions == len(DISTRICTS)
    assert report.numbers.documents == report.numbers.questions > 40
    assert not report.unchecked or not any("position" in one for one in report.unchecked)


@pytest.mark.slow
def test_one_vote_less_in_a_published_tally(log: Log, tmp_path: Path) -> None:
    tallies = orjson.loads((log.published / "tallies.json").read_bytes())
    tallies[0]["options"][0]["count"] -= 1
    (tmp_path / "tallies.json").write_bytes(orjson.dumps(tallies))
    report = audited(log.folder, published=str(tmp_path))
    assert found(report) == {(Kind.TALLY, len(log.entries))}
    assert len(report.findings.listed()) == 1


@pytest.mark.slow
def test_one_ballot_changed_and_everything_hashed_again(log: Log, tmp_path: Path) -> None:
    """A project that a district adopted loses all but its decision: the rule no longer gives it."""
    decision = next(
        event
        for entry in log.entries
        if b"civic.decision.recorded" in entry and (event := orjson.loads(entry))["data"]["adopted"]
    )
    question, project = decision["data"]["question"], decision["data"]["adopted"][0]
    entries = []
    for entry in log.entries:
        event = orjson.loads(entry)
        marks = event["data"].get("answer", {}).get("marks", {})
        if event["data"].get("question") == question and len(marks) > 1 and marks.pop(project, 0):
            entry = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
        entries.append(entry)
    report = audited(folder_of(tmp_path / "log", entries))
    position = 1 + log.entries.index(orjson.dumps(decision, option=orjson.OPT_SORT_KEYS))
    assert (Kind.DECISION, position) in found(report)
