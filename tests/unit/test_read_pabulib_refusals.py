"""Reading damaged .pb files: what is refused whole, and what is only reported."""

from pathlib import Path

import pytest

from services.importers.pabulib_file import read_pabulib
from services.importers.reading import LARGEST, ImportFileError
from tests.unit.pabulib_samples import SMALL, pb, written

REFUSED = [
    ("", None, "no section META, PROJECTS, VOTES"),
    ("hello\n", 1, "does not begin with META"),
    (SMALL[: SMALL.index("VOTES")], None, "no section VOTES"),
    (SMALL[: SMALL.index("voter_id")], None, "VOTES is empty"),
    (SMALL.replace("VOTES\n", "VOTES\nVOTES\n"), 21, "second section VOTES"),
    (SMALL.replace("PROJECTS", "VOTES"), 15, "VOTES stands where PROJECTS is expected"),
    (SMALL.replace("unit;Wieliczka\n", ""), None, "META lacks 'unit'"),
    (SMALL.replace("2500", ""), 9, "META lacks 'budget'"),
    (SMALL.replace("2500", "2500,50"), 9, "'2500,50' is not a decimal number"),
    (SMALL.replace("2500", "1_0"), 9, "'1_0' is not a decimal number"),
    (SMALL.replace("2500", "-1"), 9, "negative"),
    (SMALL.replace("2500", "9" * 17), 9, "too large"),
    (SMALL.replace("2500", str(LARGEST)), 9, "too large"),
    (SMALL.replace("vote_type;approval", "vote_type;poll"), 10, "vote_type 'poll' is unknown"),
    (SMALL.replace("num_votes;4", "num_votes;+4"), 8, "'+4' is not a whole number"),
    (SMALL.replace("max_length;2", "max_length;-2"), 14, "-2 is below 0"),
    (
        SMALL.replace("max_length;2", "max_length;2\nmin_length;3"),
        14,
        "max_length is below min_length",
    ),
    (SMALL.replace("04.10.2023", "15.09.2023"), 13, "date_end is before date_begin"),
    (SMALL.replace("rule;greedy", "rule;greedy\nrule;equalshares"), 12, "'rule' a second value"),
    (SMALL.replace("rule;", ";"), 11, "a value without a key"),
    (SMALL.replace("rule;", 'rule;"'), 18, "cannot be read"),
    (SMALL.replace("1;600", '"1"x;600'), 17, "expected after"),
    (SMALL.replace("num_projects;3", "num_projects;4"), 7, "is 4, but the file has 3 projects"),
    (SMALL.replace("\n2;800", "\n1;800"), 18, "'1' is on line 17 already"),
    (SMALL.replace("1;600", ";600"), 17, "no id"),
    (SMALL.replace("600;", "x;"), 17, "The cost 'x' is not a decimal number"),
    (SMALL.replace("600;", "-600;"), 17, "The cost '-600' is negative"),
    (SMALL.replace("Ławki;", ""), 17, "6 columns, the header 7"),
    (SMALL.replace("cost;", "price;"), 16, "lacks cost"),
    (SMALL.replace("voter_id;", "id;"), 21, "lacks voter_id"),
    (SMALL.replace("age;sex", "age;age"), 21, "twice: 'age'"),
    (SMALL.replace("d;;23;F\n", ""), 8, "is 4, but the file has 3 ballots"),
    (SMALL.replace("num_votes;4", "num_votes;3"), 8, "is 3, but the file has 4 good ballots"),
    (SMALL.replace("b;1;", '"b;1;'), 25, "unexpected end of data"),
    (SMALL.replace("b;1;;M\n", '"b"1;\n')[:-8], 8, "has 3 ballots: it is cut off or damaged. The"),
    (SMALL[:-4], 25, "The last row has 3 columns, the header 4, and no end"),
    (SMALL[:-5] + '"2', 25, "unexpected end of data"),
    (SMALL.replace("approval", "cumulative"), None, "needs a column 'points'"),
    (SMALL.encode("utf-16"), 1, "Byte 0 is not UTF-8"),
    (SMALL.encode("cp1250"), 17, "is not UTF-8"),
    (SMALL.replace("Ławki", "\0"), 17, "NUL"),
]


@pytest.mark.parametrize(
    ("content", "line", "problem"), REFUSED, ids=[problem for _, _, problem in REFUSED]
)
def test_a_damaged_or_contradictory_file_is_refused(
    tmp_path: Path, content: str | bytes, line: int | None, problem: str
) -> None:
    with pytest.raises(ImportFileError) as refusal:
        read_pabulib(written(tmp_path, content))
    assert problem in refusal.value.problem
    assert refusal.value.line == line
    assert refusal.value.remedy
    assert refusal.value.path.name in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="No such file"):
        read_pabulib(tmp_path / "none.pb")
    with pytest.raises(ImportFileError, match="Is a directory"):
        read_pabulib(tmp_path)


BAD_BALLOTS = [
    ("a;p", "2 columns, the header 3"),
    ("a;p;1;2", "4 columns, the header 3"),
    (";p;1", "voter id is empty"),
    ("a;x;1", "no project 'x'"),
    ("a;p,,q;1,2,3", "no project ''"),
    ("a;p,q;1", "names 2 projects, but gives 1 numbers"),
    ("a;p;", "names 1 projects, but gives 0 numbers"),
    ("a;p;1.5", "'1.5' is not a whole number"),
    ("a;p;\N{ARABIC-INDIC DIGIT ONE}", "is not a whole number"),
    ("a;p;01", "'01' is not a whole number"),
    ("good;p;1", "voter of line 17 votes again"),
    ('"a"b;p;1', "cannot be read"),
]


@pytest.mark.parametrize(
    ("row", "problem"), BAD_BALLOTS, ids=[problem for _, problem in BAD_BALLOTS]
)
def test_one_bad_ballot_is_reported_and_stops_nothing_else(
    tmp_path: Path, row: str, problem: str
) -> None:
    file = read_pabulib(written(tmp_path, pb("cumulative", ["good;p;1", row, "last;q;2"])))
    assert [ballot.voter_id for ballot in file.ballots] == ["good", "last"]
    (bad,) = file.bad_rows
    assert problem in bad.problem
    assert (bad.path.name, bad.line) == ("Poland_Wieliczka_2023.pb", 18)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (SMALL.replace("600;2;", "600;2.5;"), 17, "votes: '2.5' is not a whole number"),
        (SMALL.replace("Ławki;1", "Ławki;4"), 17, "selected: '4' is not between 0 and 3"),
        (SMALL.replace("52.2305", "152.2305"), 17, "beyond 90 degrees"),
        (SMALL.replace("-0.5", "0,5"), 17, "longitude: '0,5' is not a decimal number"),
        (SMALL.replace("16.09.2023", "2023/09/16"), 12, "date_begin: '2023/09/16' is not a date"),
        (SMALL.replace("16.09.2023", "20230916"), 12, "date_begin: '20230916' is not a date"),
        (SMALL.replace("16.09.2023", "31.09.2023"), 12, "date_begin: '31.09.2023' is not a date"),
    ],
)
def test_a_figure_that_the_votes_do_not_need_is_left_out(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    file = read_pabulib(written(tmp_path, text))
    assert len(file.ballots) == 4
    (bad,) = file.bad_rows
    assert bad.line == line
    assert problem in bad.problem
