"""Reading the export of a Polis conversation."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importers.polis_folder import Statement, Vote, read_polis
from services.importers.reading import ImportFileError

SMALL = {
    "summary.csv": 'topic,A square\nurl,https://pol.is/1\nconversation-description,"two\nlines"\n',
    "comments.csv": """timestamp,datetime,comment-id,author-id,agrees,moderated,comment-body
1500000000900,Mon,10,7,1,-1,"Trees, ""more"" trees"
1500000000800,Mon,2,7,1,1,"A bench
or two"
""",
    "votes.csv": """timestamp,datetime,comment-id,voter-id,vote
1500000001003,Mon,2,0,-1
1500000001001,Mon,2,0,1
1500000001002,Mon,2,0,1
1500000001001,Mon,10,1,0
1500000001004,Mon,5,0,1
1500000001004,Mon,5,0,-1
""",
    "participants-votes.csv": """participant,group-id,n-comments,n-votes,n-agree,2,5,10,11
0,1,0,2,0,-1,-1,,
1,,0,1,0,,,0,
9,,0,0,0,,,,
""",
}


def folder_of(parent: Path, **changed: str | None) -> Path:
    """The small conversation with some files changed; one that is None is left out."""
    folder = parent / "square"
    folder.mkdir(exist_ok=True)
    for name, content in SMALL.items():
        text = changed.get(name.removesuffix(".csv").replace("-", "_"), content)
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_every_part_of_a_small_conversation(tmp_path: Path) -> None:
    found = read_polis(folder_of(tmp_path))
    assert (found.name, found.topic, found.url) == ("square", "A square", "https://pol.is/1")
    assert found.description == "two\nlines"
    assert found.statements == (
        Statement("2", "A bench\nor two", 1, "7", 1_500_000_000_800),
        Statement("5", None, None, None, None),
        Statement("10", 'Trees, "more" trees', -1, "7", 1_500_000_000_900),
        Statement("11", None, None, None, None),
    )
    assert found.votes == (
        Vote(3, "0", "2", 1, 1_500_000_001_001),
        Vote(5, "1", "10", 0, 1_500_000_001_001),
        Vote(2, "0", "2", -1, 1_500_000_001_003),
        Vote(6, "0", "5", 1, 1_500_000_001_004),
        Vote(7, "0", "5", -1, 1_500_000_001_004),
    )
    assert found.repeats == 1
    assert found.participants == ("0", "1", "9")
    assert found.expected == {("0", "2"): -1, ("0", "5"): -1, ("1", "10"): 0}
    assert found.bad_rows == ()


def test_only_two_files_are_needed_and_newer_servers_export_seconds(tmp_path: Path) -> None:
    comments = "comment-id,author-id,moderated,is-seed,timestamp,comment-body\n2,7,0,true,8,Trees\n"
    votes = "timestamp,comment-id,voter-id,vote\n9,2,0,1\n9,4,0,1\n"
    found = read_polis(
        folder_of(tmp_path, summary=None, participants_votes=None, comments=comments, votes=votes)
    )
    assert (found.topic, found.url, found.expected, found.participants) == (
        "square",
        None,
        None,
        (),
    )
    assert found.statements == (
        Statement("2", "Trees", 0, "7", 8000),
        Statement("4", None, None, None, None),
    )
    assert found.votes == (Vote(2, "0", "2", 1, 9000), Vote(3, "0", "4", 1, 9000))


def test_the_servers_own_name_of_the_matrix(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "participants-votes.csv").rename(folder / "participant-votes.csv")
    assert read_polis(folder).participants == ("0", "1", "9")


BAD_ROWS = [
    ("votes", "1005,Mon,2,0", "4 columns, the header 5"),
    ("votes", "1005,Mon,2,0,2", "vote: '2' is not 1, 0 or -1"),
    ("votes", "1005,Mon,2,0,", "vote: '' is not 1, 0 or -1"),
    ("votes", "1005,Mon,2,,1", "voter-id: it is not a whole number from 0"),
    ("votes", "1005,Mon,02,0,1", "comment-id: it is not a whole number from 0"),
    ("votes", "1.5E12,Mon,2,0,1", "'1.5E12' is not a whole number"),
    ("votes", "-5,Mon,2,0,1", "timestamp: '-5' is negative"),
    ("comments", "1,Mon,2,7,0,1,Again", "The statement 2 is there already"),
    ("comments", "1,Mon,3,7,0,1, ", "The statement 3 is empty"),
    ("comments", "1,Mon,3,7,0,yes,Grass", "moderated: 'yes' is not 1, 0 or -1"),
    ("participants_votes", "1,,0,0,0,,,,", "The participant of line 3 is here again"),
    ("participants_votes", "4,,0,0,0,,x,,", "statement 5: 'x' is not 1, 0 or -1"),
    ("summary", "topic,Another", "is not one key, new here, and its value"),
]


@pytest.mark.parametrize(("file", "row", "problem"), BAD_ROWS)
def test_a_bad_row_stops_nothing_else(tmp_path: Path, file: str, row: str, problem: str) -> None:
    good = SMALL[f"{file.replace('_', '-')}.csv"]
    found = read_polis(folder_of(tmp_path, **{file: f"{good}{row}\n"}))
    assert len(found.votes) == 5
    assert len(found.statements) == 4
    assert found.expected is not None
    assert len(found.expected) == 3
    (bad,) = found.bad_rows
    assert problem in bad.problem
    assert (bad.path.name, bad.line) == (f"{file.replace('_', '-')}.csv", good.count("\n") + 1)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("votes", None, "votes.csv: The file cannot be read: No such file"),
        ("comments", None, "comments.csv: The file cannot be read: No such file"),
        ("votes", "", "votes.csv: The file is empty"),
        ("votes", "timestamp,comment-id,vote\n", "votes.csv, line 1: The header lacks voter-id"),
        ("comments", "a\n", "comments.csv, line 1: The header lacks timestamp"),
        ("participants_votes", "1\n", "lacks participant"),
        ("summary", "topic,\0\n", "Byte 6 is NUL"),
        ("votes", SMALL["votes.csv"] + "1500000001005,Mon,2", "line 8: The last row has 3 columns"),
        ("comments", SMALL["comments.csv"][:-5], "line 4: The row cannot be read: unexpected end"),
    ],
)
def test_a_damaged_file_refuses_the_conversation(
    tmp_path: Path, file: str, content: str | None, problem: str
) -> None:
    with pytest.raises(ImportFileError, match=problem):
        read_polis(folder_of(tmp_path, **{file: content}))


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("polis")


_raw_votes = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 2), st.sampled_from([1, 0, -1])),
    max_size=30,
)


@given(_raw_votes)
@settings(deadline=None)
def test_leaving_out_repeats_changes_no_outcome(
    parent: Path, raw: list[tuple[int, int, int, int]]
) -> None:
    lines = [f"{time},Mon,{statement},{voter},{mark}" for time, statement, voter, mark in raw]
    votes = "\n".join(["timestamp,datetime,comment-id,voter-id,vote", *lines])
    found = read_polis(folder_of(parent, votes=votes))
    expected = {
        (str(voter), str(statement)): mark
        for _, statement, voter, mark in sorted(raw, key=lambda vote: vote[0])
    }
    folded: dict[tuple[str, str], int] = {}
    for vote in found.votes:
        key = (vote.voter_id, vote.statement_id)
        assert folded.get(key) != vote.mark
        folded[key] = vote.mark
    assert folded == expected
    assert len(found.votes) + found.repeats == len(raw)
    times = [(vote.timestamp_ms, vote.line) for vote in found.votes]
    assert times == sorted(times)
