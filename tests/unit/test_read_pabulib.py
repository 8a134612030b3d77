"""Reading .pb files: what each field means, and the ways in which real files differ."""

from datetime import date
from pathlib import Path

import pytest

from services.importers.pabulib_ballots import Ballot
from services.importers.pabulib_file import read_pabulib
from tests.unit.pabulib_samples import SMALL, pb, written


def test_every_part_of_a_small_file(tmp_path: Path) -> None:
    file = read_pabulib(written(tmp_path, SMALL))
    assert file.name == "Poland_Wieliczka_2023"
    assert (file.country, file.unit, file.district, file.subunit) == (
        "Poland",
        "Wieliczka",
        None,
        None,
    )
    assert (file.vote_type, file.rule, file.instance) == ("approval", "greedy", "2023")
    assert (file.date_begin, file.date_end) == (date(2023, 9, 16), date(2023, 10, 4))
    assert (file.min_length, file.max_length) == (None, 2)
    assert file.meta["budget"] == "2500"
    assert (file.money_scale, file.budget) == (10, 25000)
    benches, park, third = file.projects
    assert (benches.line, benches.id, benches.name, benches.cost) == (17, "1", "Ławki", 6000)
    assert (benches.votes, benches.selected) == (2, 1)
    assert (benches.latitude, benches.longitude) == (52_230_526, -500_000)
    assert (park.name, park.latitude, park.score) == ('Park; etap "II"', None, None)
    assert (third.id, third.name, third.cost, third.selected) == ("7/A", "7/A", 12005, 2)
    assert file.ballots[0] == Ballot(
        22, "a", (("1", None), ("2", None)), (), {"age": "34", "sex": "F"}
    )
    assert file.ballots[1].details == {"sex": "M"}
    assert file.ballots[3].marks == ()
    assert file.bad_rows == ()


def test_marks_of_each_vote_type(tmp_path: Path) -> None:
    def marks(text: str) -> list[tuple[tuple[str, int | None], ...]]:
        return [ballot.marks for ballot in read_pabulib(written(tmp_path, text)).ballots]

    assert marks(pb("choose-1", ["a;q"], "voter_id;vote")) == [(("q", None),)]
    assert marks(pb("ordinal", ["a;r,p"], "voter_id;vote")) == [(("r", 1), ("p", 2))]
    assert marks(pb("cumulative", ["a;q,p;3,1", "b;;"])) == [(("q", 3), ("p", 1)), ()]
    assert marks(pb("scoring", ["a;q,p;0,-2"], min_points="-5")) == [(("q", 0), ("p", -2))]


@pytest.mark.parametrize(
    ("vote_type", "row", "marks", "further"),
    [
        ("approval", "a;p,q,p,p;", (("p", None), ("q", None)), (("p", None), ("p", None))),
        ("ordinal", "a;q,q,p;", (("q", 1), ("p", 2)), (("q", 2),)),
        ("cumulative", "a;p,q,p;3,2,1", (("p", 3), ("q", 2)), (("p", 1),)),
    ],
)
def test_of_a_repeated_project_the_first_mention_counts(
    tmp_path: Path, vote_type: str, row: str, marks: object, further: object
) -> None:
    (ballot,) = read_pabulib(written(tmp_path, pb(vote_type, [row]))).ballots
    assert (ballot.marks, ballot.further) == (marks, further)
    assert ballot.repeated == (("q",) if vote_type == "ordinal" else ("p",))


@pytest.mark.parametrize(
    "changed",
    [
        SMALL.replace("\n", "\r\n"),
        "\ufeff" + SMALL,
        SMALL.replace("PROJECTS", "\nProjects ").replace("VOTES", "\n\n votes"),
        SMALL.replace(";", "; "),
        SMALL.replace("\n", ";;;\n").replace(";1;52", ";1;52"),
        SMALL.rstrip("\n"),
        SMALL.replace("vote_type;approval", "vote_type;Approval").replace("voter_id", "Voter_ID"),
    ],
    ids=["crlf", "bom", "titles", "blanks", "spreadsheet", "no last line break", "case"],
)
def test_ways_in_which_real_files_differ(tmp_path: Path, changed: str) -> None:
    plain, other = read_pabulib(written(tmp_path, SMALL)), read_pabulib(written(tmp_path, changed))
    assert [(p.id, p.name.split(), p.cost) for p in plain.projects] == [
        (p.id, p.name.split(), p.cost) for p in other.projects
    ]
    assert [(b.voter_id, b.marks, b.details) for b in plain.ballots] == [
        (b.voter_id, b.marks, b.details) for b in other.ballots
    ]
    assert other.bad_rows == ()


def test_what_old_files_lack_and_newer_ones_add(tmp_path: Path) -> None:
    text = pb("approval", ["a;p;77"], "voter_id;vote;time_taken_seconds", budget="400000.0")
    text = text.replace("budget;", "some_key;x;y\nbudget;")
    file = read_pabulib(written(tmp_path, text))
    assert (file.rule, file.description, file.language, file.currency) == (
        "unknown",
        "",
        None,
        None,
    )
    assert file.projects[0].votes is None
    assert (file.money_scale, file.budget) == (1, 400_000)
    assert file.meta["some_key"] == "x;y"
    assert file.ballots[0].details == {"time_taken_seconds": "77"}


def test_a_year_alone_is_all_of_it(tmp_path: Path) -> None:
    file = read_pabulib(
        written(tmp_path, pb("approval", ["a;p;"], date_begin="2023", date_end="2023"))
    )
    assert (file.date_begin, file.date_end) == (date(2023, 1, 1), date(2023, 12, 31))
    file = read_pabulib(written(tmp_path, pb("approval", ["a;p;"], date_begin="2023-03-09")))
    assert (file.date_begin, file.date_end) == (date(2023, 3, 9), None)


def test_ids_are_text_and_not_numbers(tmp_path: Path) -> None:
    text = pb("approval", ["007;01,1", "7;1"], "voter_id;vote")
    text = text.replace("p;1", "01;1").replace("q;2", "1;2")
    file = read_pabulib(written(tmp_path, text))
    assert [project.id for project in file.projects] == ["01", "1", "r"]
    assert [ballot.voter_id for ballot in file.ballots] == ["007", "7"]
    assert file.ballots[0].marks == (("01", None), ("1", None))
