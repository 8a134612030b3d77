"""The readers on real files, which are not part of the project: Polis, Pabulib, Open Civic Data."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from services.importers.areas_csv import read_areas
from services.importers.pabulib_file import PabulibFile, read_pabulib
from services.importers.polis_folder import read_polis

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real files of ../shared/data are not on this machine"
)


@pytest.fixture(scope="module")
def warsaw() -> list[PabulibFile]:
    return [read_pabulib(path) for path in sorted((DATA / "pabulib").glob("*.pb"))]


@pytest.fixture(scope="module")
def forms() -> dict[str, PabulibFile]:
    return {path.stem: read_pabulib(path) for path in sorted((DATA / "pabulib-forms").glob("*"))}


@pytest.mark.parametrize(
    ("name", "statements", "votes", "repeats", "participants", "cells", "passes"),
    [
        ("brexit-consensus", 50, 5_304, 8, 204, 5_303, 666),
        ("canadian-electoral-reform", 174, 11_953, 65, 448, 11_950, 1_914),
        ("vtaiwan.uberx", 197, 49_459, 538, 1_921, 49_443, 6_520),
    ],
)
def test_polis_votes_fold_to_the_published_matrix(
    name: str,
    statements: int,
    votes: int,
    repeats: int,
    participants: int,
    cells: int,
    passes: int,
) -> None:
    found = read_polis(DATA / "polis" / name)
    assert found.bad_rows == ()
    folded = {(vote.voter_id, vote.statement_id): vote.mark for vote in found.votes}
    assert folded == found.expected
    assert Counter(folded.values())[0] == passes
    assert {voter for voter, _ in folded} == set(found.participants)
    assert None not in {statement.body for statement in found.statements}
    assert (len(found.statements), len(found.votes), found.repeats) == (statements, votes, repeats)
    assert (len(found.participants), len(folded)) == (participants, cells)


def test_warsaw_has_all_its_ballots(warsaw: list[PabulibFile]) -> None:
    assert len(warsaw) == 75
    assert [file.bad_rows for file in warsaw] == [()] * 75
    assert all(len(file.ballots) == file.num_votes for file in warsaw)
    assert sum(file.num_votes for file in warsaw) == 190_916
    assert len({ballot.voter_id for file in warsaw for ballot in file.ballots}) == 72_524
    mentions = (len(b.marks) + len(b.further) for file in warsaw for b in file.ballots)
    assert sum(mentions) == 845_026
    assert {(file.money_scale, file.vote_type, file.rule) for file in warsaw} == {
        (1, "approval", "greedy-threshold")
    }


def test_repeated_mentions_explain_all_differences_from_the_published_votes(
    warsaw: list[PabulibFile],
) -> None:
    repeating = different = total = 0
    for file in warsaw:
        counted = Counter(project for ballot in file.ballots for project, _ in ballot.marks)
        further = Counter(project for ballot in file.ballots for project, _ in ballot.further)
        repeating += sum(bool(ballot.repeated) for ballot in file.ballots)
        for project in file.projects:
            total += 1
            assert project.votes == counted[project.id] + further[project.id]
            different += project.votes != counted[project.id]
    assert (repeating, different, total) == (24, 24, 1_373)


def test_warsaws_areas_never_share_an_id(warsaw: list[PabulibFile]) -> None:
    names = defaultdict(set)
    for file in warsaw:
        for area in file.areas:
            names[area.area].add((area.name, area.level))
    assert all(len(found) == 1 for found in names.values())
    assert Counter(level for ((_, level),) in names.values()) == {
        "country": 1,
        "city": 1,
        "district": 18,
        "sub-district": 56,
    }
    assert names["pl/warszawa/wola/kolo-ulrychow"] == {("Koło, Ulrychów", "sub-district")}
    assert max(map(len, names)) <= 400


def test_nobody_in_warsaw_votes_in_two_areas_of_one_level(warsaw: list[PabulibFile]) -> None:
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file in warsaw:
        asked = file.areas[-1]
        for ballot in file.ballots:
            places[ballot.voter_id, asked.level].add(asked.area)
    assert max(map(len, places.values())) == 1


def test_each_form_of_ballot(forms: dict[str, PabulibFile]) -> None:
    assert len(forms) == 7
    for file in forms.values():
        assert file.bad_rows == ()
        assert len(file.ballots) == file.num_votes
        counted = Counter(project for ballot in file.ballots for project, _ in ballot.marks)
        assert {project.id: project.votes for project in file.projects} == {
            project.id: counted[project.id] for project in file.projects
        }
    assert {file.vote_type for file in forms.values()} == {
        "approval",
        "choose-1",
        "ordinal",
        "cumulative",
    }
    cumulative = forms["Poland_Czestochowa_2020_Bleszno"]
    points: Counter[str] = Counter()
    for ballot in cumulative.ballots:
        for project_id, mark in ballot.marks:
            points[project_id] += mark or 0
    assert {project.id: project.score for project in cumulative.projects} == points
    ordinal = forms["Poland_Krakow_2018_Bienczyce"]
    borda: Counter[str] = Counter()
    for ballot in ordinal.ballots:
        for project_id, rank in ballot.marks:
            borda[project_id] += 4 - (rank or 0)
    assert {project.id: project.score for project in ordinal.projects} == borda


def test_poland_has_one_orphan() -> None:
    found = read_areas(DATA / "ocd/country-pl.csv")
    assert len(found.divisions) == len({division.area for division in found.divisions}) == 236
    (orphan,) = found.bad_rows
    assert (orphan.line, "region:eu" in orphan.problem) == (238, True)
    before = set()
    for division in found.divisions:
        assert division.parent_ocd_id is None or division.parent_ocd_id in before
        before.add(division.ocd_id)
