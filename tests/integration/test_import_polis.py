"""`civic-ledger import polis` on small conversations, as the program."""

from pathlib import Path

from tests.integration.importing import Ledger, polis

STATEMENTS = {0: "More trees", 1: "Fewer cars"}
BACK_AND_FORTH = [(5, 0, 7, 1), (1, 0, 7, 1), (3, 0, 7, -1), (4, 0, 7, -1), (2, 1, 8, 0)]
MATRIX = "participant,n-votes,0,1\n7,1,1,\n8,1,,0\n"


def test_statements_become_questions_and_the_latest_vote_stands(
    ledger: Ledger, tmp_path: Path
) -> None:
    folder = polis(tmp_path / "Our town", BACK_AND_FORTH, STATEMENTS, MATRIX)
    ran = ledger.run("import", "polis", folder, "--check")
    assert (ran.exit_code, ran.errors) == (0, "")
    assert "4 votes counted (4 of them new), 1 repeated, 0 bad; as published" in ran.out
    assert ledger.counts("polis/Our town/0") == {"statement": (1, 1)}
    assert ledger.counts("polis/Our town/1") == {"statement": (1, 0)}
    marks = [
        (one.get("previous", {}).get("marks"), one["answer"]["marks"])
        for one in (*ledger.of_type("choice.made"), *ledger.of_type("choice.changed"))
        if one["question"].endswith("/0")
    ]
    first, second = {"statement": 1}, {"statement": -1}
    assert marks == [(None, first), (first, second), (second, first)]
    opened = ledger.of_type("question.opened")
    assert [one["title"] for one in opened] == ["More trees", "Fewer cars"]
    assert {one["area"] for one in opened} == {"polis/our-town"}
    assert all(one["method"] == {"kind": "agreement"} and "closes" not in one for one in opened)
    choices = ledger.answer("citizen", "--identity", "polis/Our town/8")["choices"]
    assert [(one["question"], one["marks"]) for one in choices] == [
        ("polis/Our town/1", {"statement": 0})
    ]


def test_two_conversations_in_one_call_and_again(ledger: Ledger, tmp_path: Path) -> None:
    folders = [polis(tmp_path / name, BACK_AND_FORTH, STATEMENTS, MATRIX) for name in "ab"]
    assert ledger.run("import", "polis", *folders, folders[0], "--check").exit_code == 0
    entries = ledger.entries()
    assert len(ledger.of_type("citizen.registered")) == 4
    again = ledger.run("import", "polis", *folders, "--check", "--json")
    assert again.exit_code == 0
    assert [(one["votes"], one["new"], one["repeats"]) for one in again.files] == [(4, 0, 1)] * 2
    assert again.files[0]["questions"] == ["polis/a/0", "polis/a/1"]
    assert ledger.entries() == entries


def test_a_mended_conversation_ends_as_it_says(ledger: Ledger, tmp_path: Path) -> None:
    """An early vote changes, the last one was counted before: it must be counted once more, on top."""
    folder = polis(tmp_path / "a", [(1, 0, 7, 1), (2, 0, 7, -1)], STATEMENTS)
    assert ledger.run("import", "polis", folder).exit_code == 0
    polis(folder, [(1, 0, 7, 0), (2, 0, 7, -1)], STATEMENTS, "participant,0,1\n7,-1,\n")
    assert ledger.run("import", "polis", folder, "--check").exit_code == 0
    assert ledger.counts("polis/a/0") == {"statement": (1, -1)}


def test_a_cell_that_differs_makes_the_check_fail(ledger: Ledger, tmp_path: Path) -> None:
    wrong = "participant,n-votes,0,1\n7,1,-1,\n8,1,,\n9,1,,1\n"
    folder = polis(tmp_path / "a", BACK_AND_FORTH, STATEMENTS, wrong)
    ran = ledger.run("import", "polis", folder, "--check", "--json")
    assert ran.exit_code == 1
    found = [(one["what"], one["published"], one["counted"]) for one in ran.files[0]["differences"]]
    assert found == [
        ("participant 7, statement 0", -1, 1),
        ("participant 8, statement 1", None, 0),
        ("participant 9, statement 1", 1, None),
    ]


def test_a_bad_vote_is_told_and_stops_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    folder = polis(tmp_path / "a", [(1, 0, 7, 1), (2, 0, 8, 5), (3, 0, 9, 1)], STATEMENTS)
    ran = ledger.run("import", "polis", folder)
    assert ran.exit_code == 1
    assert ran.errors == f"{folder}/votes.csv:3: vote: '5' is not 1, 0 or -1.\n"
    assert ledger.counts("polis/a/0") == {"statement": (2, 2)}


def test_a_damaged_conversation_leaves_nothing_and_the_other_goes_on(
    ledger: Ledger, tmp_path: Path
) -> None:
    good = polis(tmp_path / "good", BACK_AND_FORTH, STATEMENTS)
    cut = polis(tmp_path / "cut", BACK_AND_FORTH, STATEMENTS)
    (cut / "comments.csv").write_text((good / "comments.csv").read_text()[:-6])
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = ledger.run("import", "polis", cut, empty, good)
    assert ran.exit_code == 1
    assert [
        str(path) in line for path, line in zip((cut, empty), ran.errors.splitlines(), strict=True)
    ]
    assert {one["area"] for one in ledger.of_type("area.defined")} == {"polis", "polis/good"}
    assert len(ledger.of_type("question.opened")) == 2
    assert ledger.run("import", "polis", good / "votes.csv").exit_code == 2
    assert ledger.run("import", "polis", tmp_path / "missing").exit_code == 2


def test_another_conversation_of_the_same_name_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    first = polis(tmp_path / "a", BACK_AND_FORTH, STATEMENTS)
    assert ledger.run("import", "polis", first).exit_code == 0
    head = ledger.head()
    other = polis(tmp_path / "other" / "a", [(1, 1, 99, 1)], {0: "More trees", 1: "More cars"})
    ran = ledger.run("import", "polis", other)
    assert ran.exit_code == 1
    assert "'polis/a/1' exists already, with another text" in ran.errors
    assert ledger.head() == head
