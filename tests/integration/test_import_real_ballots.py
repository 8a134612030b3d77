"""The imports on the real ballots of ../shared/data: to the last vote, and with nobody's details in the log."""

import csv
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.importers.pabulib import Poll, import_pabulib
from services.importers.pabulib_check import check_poll
from services.importers.polis import import_polis
from services.importers.polis_check import check_conversation
from services.importers.polis_folder import read_polis
from services.importers.report import FileReport
from services.importers.run import Run
from tests.integration.importing import DATA, Ledger, needs_data

pytestmark = needs_data

CONVERSATIONS = ("brexit-consensus", "canadian-electoral-reform", "vtaiwan.uberx")
ORIGIN = "ledger.example/civic"

FIELDS = {
    "area.defined": {"area", "name", "kind"},
    "area.amended": {"area", "publishable"},
    "citizen.registered": {"person", "home", "private"},
    "question.opened": {
        *("question", "title", "about", "area", "electorate", "method", "options"),
        *("mandate", "opens", "results", "rule"),
    },
    "choice.made": {"question", "voter", "answer"},
    "choice.changed": {"question", "voter", "answer", "previous"},
    "question.closed": {"question"},
    "decision.recorded": {"question", "rule", "voters", "adopted", "tied", "reason"},
}
"""All that the entries of an import hold. None of it is a person's."""


def log_entries(ledger: Ledger) -> Iterator[bytes]:
    with sqlite3.connect(ledger.folder / "log.sqlite") as log:
        for (entry,) in log.execute("SELECT entry FROM records ORDER BY position"):
            yield entry


def assert_nobody_is_in_the_log(ledger: Ledger, units: set[str]) -> None:
    """No identity, no citizen id, and no field in which anything of a person could stand."""
    with sqlite3.connect(ledger.folder / "vault.sqlite") as vault:
        citizens = {citizen for (citizen,) in vault.execute("SELECT citizen FROM citizens")}
        identities = {one for (one,) in vault.execute("SELECT identity FROM citizens")}
    assert {one.rpartition("/")[0] for one in identities} == units
    prefixes = [f'"{unit}/'.encode() for unit in units if unit.startswith("pabulib")]
    for entry in log_entries(ledger):
        assert citizens.isdisjoint(re.findall(r"[0-9a-f]{32}", entry.decode()))
        assert not any(prefix in entry for prefix in prefixes)
        content = json.loads(entry)
        family = content["type"].removeprefix("civic.").removesuffix(".v1")
        assert content["data"].keys() <= FIELDS[family]
        if "answer" in content["data"]:
            assert content["data"]["answer"].keys() == {"area", "marks"}


@pytest.fixture(scope="module")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, list[FileReport]]:
    ledger, reports = Ledger(tmp_path_factory.mktemp("polis")), []
    with ledger.opened() as (_, run):
        for name in CONVERSATIONS:
            report, conversation = import_polis(run, DATA / "polis" / name, ORIGIN)
            assert conversation is not None
            run.caught_up()
            check_conversation(run, report, conversation)
            reports.append(report)
    return ledger, reports


def test_three_conversations_fold_to_their_matrices(
    conversations: tuple[Ledger, list[FileReport]],
) -> None:
    _, reports = conversations
    assert [(one.counted, one.new, one.repeats) for one in reports] == [
        (5_304, 5_304, 8),
        (11_953, 11_953, 65),
        (49_459, 49_459, 538),
    ]
    assert all(one.checked and one.faultless and not one.differences for one in reports)


def test_the_matrices_cell_by_cell_without_the_importers_own_check(
    conversations: tuple[Ledger, list[FileReport]],
) -> None:
    """The standing choices are read from the citizen model's rows, and named through the vault alone."""
    ledger, _ = conversations
    with sqlite3.connect(ledger.folder / "vault.sqlite") as vault:
        identities = dict(vault.execute("SELECT citizen, identity FROM citizens"))
    cells: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    with sqlite3.connect(ledger.folder / "store.sqlite") as store:
        for citizen, question, marks in store.execute(
            "SELECT citizen, question, marks FROM citizen_choice"
        ):
            _, conversation, voter = identities[citizen].split("/")
            _, folder, statement = question.split("/")
            assert folder == conversation
            cells[folder][voter, statement] = json.loads(marks)["statement"]
    for name in CONVERSATIONS:
        assert cells[name] == read_polis(DATA / "polis" / name).expected


def test_conversations_leave_nobody_in_the_log(
    conversations: tuple[Ledger, list[FileReport]],
) -> None:
    ledger, _ = conversations
    assert_nobody_is_in_the_log(ledger, {f"polis/{name}" for name in CONVERSATIONS})


def test_conversations_imported_again_add_nothing(
    conversations: tuple[Ledger, list[FileReport]],
) -> None:
    ledger, _ = conversations
    head = ledger.head()
    with ledger.opened() as (_, run):
        for name in CONVERSATIONS:
            report, _ = import_polis(run, DATA / "polis" / name, ORIGIN)
            assert (report.new, report.faultless) == (0, True)
    assert ledger.head() == head


def test_each_form_of_ballot_comes_out_as_published(ledger: Ledger) -> None:
    files = sorted((DATA / "pabulib-forms").glob("*.pb"))
    ran = ledger.run("import", "pabulib", *files, "--check", "--json")
    assert (ran.exit_code, ran.errors) == (0, "")
    reports = {Path(one["file"]).stem: one for one in ran.files}
    assert len(reports) == 7
    assert all(one["checked"] and not one["differences"] for one in reports.values())
    assert {name: one["voters"] for name, one in reports.items()} == {
        "Netherlands_Amsterdam_643": 66,
        "Netherlands_Assen_2024": 84,
        "Poland_Czestochowa_2020_Bleszno": 462,
        "Poland_Gdynia_2022_Kamienna_Gora__large": 78,
        "Poland_Krakow_2018_Bienczyce": 878,
        "Poland_Poznan_2025_9_-_Stare_Miasto__small": 552,
        "Poland_Warszawa_2024_Wesola": 1_009,
    }
    undecided = [name for name, one in reports.items() if one["decision"] is None]
    assert undecided == ["Poland_Poznan_2025_9_-_Stare_Miasto__small"]
    head = ledger.head()
    assert ledger.run("import", "pabulib", *files).exit_code == 0
    assert ledger.head() == head


def test_polands_divisions(ledger: Ledger) -> None:
    ran = ledger.run("import", "areas", DATA / "ocd" / "country-pl.csv", "--json")
    assert ran.exit_code == 1
    assert "country-pl.csv:238: " in ran.errors
    assert (ran.files[0]["areas"], len(ran.files[0]["bad_rows"])) == (236, 1)
    assert len(ledger.answer("area", "pl")["below"]) > 50


def mentioned(file: Path) -> Counter[str]:
    """On how many ballots each project stands, read without the importer."""
    votes = file.read_text(encoding="utf-8").partition("\nVOTES\n")[2].splitlines()
    rows = csv.DictReader(votes, delimiter=";")
    return Counter(project for row in rows for project in set(row["vote"].split(",")))


def figures(polls: list[Poll]) -> dict[str, Any]:
    reports = [one.report for one in polls]
    differences = [one for report in reports for one in report.differences]
    return {
        "files": len(reports),
        "ballots": sum(one.counted for one in reports),
        "voters": sum(one.voters or 0 for one in reports),
        "bad": sum(len(one.bad_rows) for one in reports),
        "repeating ballots": sum(one.repeats for one in reports),
        "differences": Counter(one.what.partition(" ")[0] for one in differences),
        "unexplained": [one for one in differences if not one.explained],
        "decisions": sum(one.decision is not None for one in reports),
    }


def imported(run: Run, files: list[Path]) -> list[Poll]:
    polls = import_pabulib(run, files, ORIGIN)
    run.caught_up()
    for poll in polls:
        check_poll(run, poll)
    return polls


@pytest.mark.slow
def test_warsaw_comes_out_to_the_last_ballot(ledger: Ledger) -> None:
    """75 files at three levels of democracy. Two files rest on a tie that the city broke in its own way."""
    files = sorted((DATA / "pabulib").glob("*.pb"))
    with ledger.opened() as (_, run):
        polls = imported(run, files)
        roll = run.queries.area("pl").roll
        for file in files:
            tally = run.queries.tally(f"pabulib/{file.stem}")
            assert {one.id: one.count for one in tally.options if one.count} == mentioned(file)
    assert all(poll.report.checked and poll.report.faultless for poll in polls)
    assert figures(polls) == {
        "files": 75,
        "ballots": 190_916,
        "voters": 190_916,
        "bad": 0,
        "repeating ballots": 24,
        "differences": {"votes": 24, "selected": 2},
        "unexplained": [],
        "decisions": 75,
    }
    assert roll == 72_524
    assert_nobody_is_in_the_log(ledger, {"pabulib/Warszawa"})
