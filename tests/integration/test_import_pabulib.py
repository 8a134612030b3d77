"""`civic-ledger import pabulib` on small files, as the program: what is counted, decided and refused."""

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from services.importers import pabulib
from services.importers.pabulib_file import PabulibFile
from tests.integration.importing import PROGRAM, Ledger, line_of, pb

VOTES = ["1;p,q", "2;p", "3;r", "4;p"]


def test_a_file_becomes_a_question_with_ballots_and_a_decision(
    ledger: Ledger, tmp_path: Path
) -> None:
    file = pb(tmp_path / "Poland_Town_2026.pb", VOTES, date_begin="01.06.2026", max_length="2")
    ran = ledger.run("import", "pabulib", file, "--check")
    assert (ran.exit_code, ran.errors) == (0, "")
    assert "4 ballots counted (4 of them new), 0 repeated, 0 bad; as published" in ran.out
    question = "pabulib/Poland_Town_2026"
    assert ledger.counts(question) == {"p": (3, 3), "q": (1, 1), "r": (1, 1)}
    decision = ledger.answer("decision", question)
    assert (decision["rule"], decision["adopted"]) == ("greedy", ["p", "q"])
    (opened,) = ledger.of_type("question.opened")
    assert opened["area"] == opened["electorate"] == "pl/town/nord"
    assert opened["method"] == {"kind": "approval", "maximum": 2}
    assert [one["cost"] for one in opened["options"]] == [1, 2, 3]
    assert "closes" not in opened
    assert "2026-06-01" in opened["about"]
    assert [one["area"] for one in ledger.of_type("area.defined")] == [
        "pl",
        "pl/town",
        "pl/town/nord",
    ]
    assert ledger.answer("citizen", "--identity", "pabulib/Town/1")["home"] == "pl/town/nord"


@pytest.mark.parametrize(
    ("vote_type", "votes", "meta", "method", "totals"),
    [
        ("choose-1", ["1;p", "2;q"], {}, {"kind": "single"}, (1, 1, 0)),
        ("ordinal", ["1;p,r"], {}, {"kind": "ranking"}, (1, 0, 2)),
        (
            "cumulative",
            ["1;p,q;3,2", "2;r,p;4,0"],
            {"max_sum_points": "5"},
            {"kind": "points", "total": 5},
            (3, 2, 4),
        ),
        ("cumulative", ["1;p,q;3,2"], {}, {"kind": "points", "total": 5}, (3, 2, 0)),
        (
            "scoring",
            ["1;p,q;7,0"],
            {"max_points": "9"},
            {"kind": "score", "max_mark": 9},
            (7, 0, 0),
        ),
        ("scoring", ["1;p,q;7,0"], {}, {"kind": "score", "max_mark": 7}, (7, 0, 0)),
    ],
)
def test_each_form_of_ballot_has_its_method(
    ledger: Ledger,
    tmp_path: Path,
    vote_type: str,
    votes: list[str],
    meta: dict[str, str],
    method: dict[str, object],
    totals: tuple[int, int, int],
) -> None:
    columns = "voter_id;vote;points" if ";" in votes[0][2:] else "voter_id;vote"
    file = pb(tmp_path / "f.pb", votes, columns=columns, vote_type=vote_type, **meta)
    assert ledger.run("import", "pabulib", file).exit_code == 0
    assert ledger.of_type("question.opened")[0]["method"] == method
    assert tuple(total for _, total in ledger.counts("pabulib/f").values()) == totals


def test_bad_ballots_are_told_with_their_lines_and_stop_nothing_else(
    ledger: Ledger, tmp_path: Path
) -> None:
    file = pb(tmp_path / "f.pb", ["1;p", "2;p,q,r", "3;x", "4;", "5;q", "1;q"], max_length="2")
    first = line_of(file, "1;p")
    good = pb(tmp_path / "g.pb", ["1;p"])
    ran = ledger.run("import", "pabulib", file, good, "--json")
    assert ran.exit_code == 1
    assert ran.errors.splitlines() == [
        f"{file}:{first + 1}: Mark at most 2 options; 3 are marked.",
        f"{file}:{first + 2}: There is no project 'x'.",
        f"{file}:{first + 3}: Mark at least one option.",
        f"{file}:{first + 5}: The voter of line {first} votes again.",
    ]
    report, other = ran.files
    assert [row["line"] - first for row in report["bad_rows"]] == [1, 2, 3, 5]
    assert (report["ballots"], report["voters"], other["ballots"]) == (2, 2, 1)
    assert [one["question"] for one in ledger.of_type("question.closed")] == ["pabulib/g"]
    assert ledger.answer("decision", "pabulib/f")["rule"] is None


def test_a_mended_file_is_imported_again_and_then_decided(ledger: Ledger, tmp_path: Path) -> None:
    file = pb(tmp_path / "f.pb", ["1;p", "2;x", "3;q"])
    assert ledger.run("import", "pabulib", file).exit_code == 1
    before = ledger.head()
    pb(file, ["1;p", "2;q,r", "3;q,p"])
    ran = ledger.run("import", "pabulib", file, "--check", "--json")
    assert (ran.exit_code, ran.files[0]["new"]) == (0, 2)
    assert ledger.counts("pabulib/f") == {"p": (2, 2), "q": (2, 2), "r": (1, 1)}
    assert sorted(one["type"] for one in ledger.entries()[before:]) == [
        "civic.choice.changed.v1",
        "civic.choice.made.v1",
        "civic.citizen.registered.v1",
        "civic.decision.recorded.v1",
        "civic.question.closed.v1",
    ]
    assert ledger.answer("decision", "pabulib/f")["adopted"] == ["p", "q"]


def test_imported_again_or_twice_in_a_call_nothing_happens_twice(
    ledger: Ledger, tmp_path: Path
) -> None:
    files = [pb(tmp_path / "f.pb", VOTES), pb(tmp_path / "g.pb", VOTES, district="")]
    assert ledger.run("import", "pabulib", *files, *files).exit_code == 0
    entries = ledger.entries()
    assert len(ledger.of_type("choice.made")) == 8
    again = ledger.run("import", "pabulib", *reversed(files), "--check", "--json")
    assert again.exit_code == 0
    assert [(one["ballots"], one["new"]) for one in again.files] == [(4, 0), (4, 0)]
    assert ledger.entries() == entries


def test_ids_are_the_same_everywhere_but_for_what_is_about_a_person(tmp_path: Path) -> None:
    file, ids = pb(tmp_path / "f.pb", VOTES), []
    for name in "ab":
        ledger = Ledger(tmp_path / name)
        ledger.folder.mkdir()
        assert ledger.run("import", "pabulib", file).exit_code == 0
        ids.append({(one["type"].split(".")[1], one["id"]) for one in ledger.entries()})
    of_people = {("citizen", one) for _, one in ids[0]} | {("choice", one) for _, one in ids[0]}
    assert ids[0] & ids[1] == ids[0] - of_people
    assert len(ids[0] - of_people) == 6


def test_a_refused_file_leaves_nothing_and_the_others_go_on(ledger: Ledger, tmp_path: Path) -> None:
    whole = pb(tmp_path / "whole.pb", VOTES)
    cut = tmp_path / "cut.pb"
    cut.write_text(whole.read_text()[:-8].replace("Town", "Other"))
    latin = tmp_path / "latin.pb"
    latin.write_bytes(whole.read_text().replace("A vote", "Żółw").encode("iso-8859-2"))
    contradictory = pb(
        tmp_path / "both.pb", VOTES, unit="Elsewhere", min_length="3", max_length="2"
    )
    impossible = pb(tmp_path / "four.pb", VOTES, unit="Elsewhere", min_length="4")
    unnamed = pb(tmp_path / "a  b?.pb", VOTES, unit="Elsewhere")
    refused = (cut, latin, contradictory, impossible, unnamed)
    ran = ledger.run("import", "pabulib", *refused, whole, "--json")
    assert ran.exit_code == 1
    told = ran.errors.splitlines()
    assert len(told) == len(refused)
    assert all(str(path) in line for path, line in zip(refused, told, strict=True))
    assert "4 options must be marked, but there are only 3" in told[3]
    assert "Rename it" in told[4]
    assert [one["refused"] is None for one in ran.files] == [False] * 5 + [True]
    assert [one["question"] for one in ledger.of_type("question.opened")] == ["pabulib/whole"]
    assert len(ledger.of_type("citizen.registered")) == 4
    assert {one["area"] for one in ledger.of_type("area.defined")} == {
        "pl",
        "pl/town",
        "pl/town/nord",
    }


def test_a_path_that_is_not_there_is_a_wrong_call(ledger: Ledger, tmp_path: Path) -> None:
    ran = ledger.run("import", "pabulib", tmp_path / "missing.pb")
    assert ran.exit_code == 2
    assert "missing.pb" in ran.errors
    assert ledger.run("import", "pabulib", tmp_path).exit_code == 2


def test_another_file_of_the_same_name_is_refused_before_anything_is_used(
    ledger: Ledger, tmp_path: Path
) -> None:
    assert ledger.run("import", "pabulib", pb(tmp_path / "f.pb", VOTES)).exit_code == 0
    head = ledger.head()
    for change in ({"budget": "9"}, {"projects": ("p;1", "q;2", "s;3")}, {"unit": "Other"}):
        votes = ["7;p", "8;q"]
        ran = ledger.run("import", "pabulib", pb(tmp_path / "other" / "f.pb", votes, **change))  # type: ignore[arg-type]
        assert ran.exit_code == 1
        assert "'pabulib/f' exists already, with " in ran.errors
    assert ledger.head() == head


def test_homes_are_the_deepest_known_and_move_down_when_they_are_known_better(
    ledger: Ledger, tmp_path: Path
) -> None:
    city = pb(tmp_path / "city.pb", ["1;p", "2;q", "3;r"], district="")
    nord = pb(tmp_path / "nord.pb", ["2;p"])
    part = pb(tmp_path / "part.pb", ["2;p", "3;p"], subunit="Park")
    assert ledger.run("import", "pabulib", city, nord).exit_code == 0
    homes = [one["home"] for one in ledger.of_type("citizen.registered")]
    assert sorted(homes) == ["pl/town", "pl/town", "pl/town/nord"]
    assert ledger.run("import", "pabulib", part, city, "--check").exit_code == 0
    moved = [(one["origin"], one["home"]) for one in ledger.of_type("citizen.moved")]
    assert sorted(moved) == [
        ("pl/town", "pl/town/nord/park"),
        ("pl/town/nord", "pl/town/nord/park"),
    ]
    assert not ledger.of_type("choice.lapsed")
    head = ledger.head()
    assert ledger.run("import", "pabulib", nord, city).exit_code == 0
    assert ledger.head() == head


def test_who_is_registered_in_another_branch_is_a_bad_row(ledger: Ledger, tmp_path: Path) -> None:
    nord, syd = pb(tmp_path / "nord.pb", ["1;p", "2;p"]), tmp_path / "syd.pb"
    pb(syd, ["2;q", "3;q"], district="Syd")
    for _ in range(2):
        ran = ledger.run("import", "pabulib", nord, syd)
        assert ran.exit_code == 1
        assert (
            ran.errors
            == f"{syd}:{line_of(syd, '2;q')}: Only the roll of 'pl/town/syd' may choose here.\n"
        )
    assert ledger.counts("pabulib/syd")["q"] == (1, 1)
    assert ledger.counts("pabulib/nord")["p"] == (2, 2)


def test_limits_give_way_where_the_published_votes_include_what_goes_beyond(
    ledger: Ledger, tmp_path: Path
) -> None:
    votes = ["1;p,q,r", "2;p"]
    projects = ["p;1;2", "q;2;1", "r;3;1"]
    counted = pb(
        tmp_path / "f.pb", votes, projects=projects, figures="project_id;cost;votes", max_length="2"
    )
    ran = ledger.run("import", "pabulib", counted, "--check")
    assert ran.exit_code == 0
    line = line_of(counted, votes[0])
    assert f"Beyond the file's own limits: 1 ballot (line {line})" in ran.out
    assert ledger.of_type("question.opened")[0]["method"] == {"kind": "approval", "maximum": 3}
    projects[2] = "r;3;0"
    strict = pb(
        tmp_path / "g.pb", votes, projects=projects, figures="project_id;cost;votes", max_length="2"
    )
    ran = ledger.run("import", "pabulib", strict)
    assert ran.exit_code == 1
    assert ran.errors == f"{strict}:{line}: Mark at most 2 options; 3 are marked.\n"


def test_details_of_people_go_into_the_vault_alone(ledger: Ledger, tmp_path: Path) -> None:
    secret = "Wielka-Długa-Dzielnica " * 1_000
    votes = [f"117;p;93;X-sex;{secret}", "118;q;;;"]
    columns = "voter_id;vote;age;sex;neighborhood"
    assert (
        ledger.run("import", "pabulib", pb(tmp_path / "f.pb", votes, columns=columns)).exit_code
        == 0
    )
    with sqlite3.connect(tmp_path / "vault.sqlite") as vault:
        citizens = dict(vault.execute("SELECT identity, citizen FROM citizens"))
        parts = vault.execute("SELECT event_id, commitment FROM private_parts").fetchall()
    (part,) = parts
    with ledger.opened() as (system, _):
        found = system.vault.private_part(*part)
    assert found == {"age": "93", "sex": "X-sex", "neighborhood": found["neighborhood"]}
    assert found["neighborhood"].startswith(secret[:7_000])
    log = b"".join(path.read_bytes() for path in tmp_path.glob("log.sqlite*"))
    for personal in ("X-sex", "Wielka-Długa", "neighborhood", "pabulib/Town/117"):
        assert personal.encode() not in log
    assert set(citizens) == {"pabulib/Town/117", "pabulib/Town/118"}
    text = str(ledger.entries())
    assert not any(citizen in text for citizen in citizens.values())


def test_a_large_question_is_cut_to_fit_one_entry_or_refused(
    ledger: Ledger, tmp_path: Path
) -> None:
    figures = "project_id;cost;name"
    many = [f"project-{n};1;{'Ławka w parku ' * 20}{n}" for n in range(400)]
    large = pb(tmp_path / "large.pb", ["1;project-7"], projects=many, figures=figures)
    ran = ledger.run("import", "pabulib", large, "--check")
    assert ran.exit_code == 0
    assert "Titles of options are cut to 100 characters" in ran.out
    (opened,) = ledger.of_type("question.opened")
    assert {len(one["title"]) for one in opened["options"]} <= {99, 100}
    huge = [f"{'x' * 150}{n};1;n" for n in range(500)]
    ran = ledger.run(
        "import", "pabulib", pb(tmp_path / "huge.pb", [], projects=huge, figures=figures)
    )
    assert ran.exit_code == 1
    assert "The entry would take " in ran.errors
    more = [f"{n};1;n" for n in range(1_001)]
    ran = ledger.run(
        "import", "pabulib", pb(tmp_path / "more.pb", [], projects=more, figures=figures)
    )
    assert ran.exit_code == 1
    assert "options" in ran.errors
    assert len(ledger.of_type("question.opened")) == 1


def test_choices_name_the_district_once_enough_people_live_there(
    ledger: Ledger, tmp_path: Path
) -> None:
    """The roll comes first and areas become publishable, so that no early ballot hides its district."""
    votes = [f"{n};p" for n in range(15)]
    city = pb(tmp_path / "city.pb", votes, district="")
    nord, syd = (
        pb(tmp_path / "nord.pb", votes[:12]),
        pb(tmp_path / "syd.pb", votes[12:], district="Syd"),
    )
    assert ledger.run("import", "pabulib", city, nord, syd).exit_code == 0
    areas = [
        one["answer"]["area"]
        for one in ledger.of_type("choice.made")
        if one["question"] == "pabulib/city"
    ]
    assert sorted(areas) == ["pl/town"] * 3 + ["pl/town/nord"] * 12


def test_ballots_and_people_come_in_an_order_that_tells_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Every voter of the file has marks of their own, so that the order can be seen here."""
    projects = [f"p{n};1" for n in range(50)]
    votes = [f"{n};p{n}" for n in range(50)]
    assert (
        ledger.run("import", "pabulib", pb(tmp_path / "f.pb", votes, projects=projects)).exit_code
        == 0
    )
    cast = [next(iter(one["answer"]["marks"])) for one in ledger.of_type("choice.made")]
    assert sorted(cast) == sorted(f"p{n}" for n in range(50))
    assert cast != [f"p{n}" for n in range(50)]


def test_without_the_counting_library_all_is_counted_and_the_decision_waits(
    ledger: Ledger, tmp_path: Path
) -> None:
    pytest.importorskip("pabutools", reason="the extra `counting` is not installed")
    file = pb(tmp_path / "f.pb", VOTES, rule="equalshares")
    other = pb(tmp_path / "g.pb", VOTES)
    missing = f"import sys; sys.modules['pabutools'] = None; {PROGRAM}"
    ran = ledger.run("import", "pabulib", file, other, program=missing)
    assert ran.exit_code == 1
    assert ran.errors.startswith(f"{file}: All ballots are counted, but nothing is decided: ")
    assert "pip install" in ran.errors
    assert [one["question"] for one in ledger.of_type("decision.recorded")] == ["pabulib/g"]
    assert ledger.run("import", "pabulib", file, other, "--check").exit_code == 0
    assert ledger.answer("decision", "pabulib/f")["rule"] == "equal-shares"


def test_a_file_that_changes_meanwhile_is_refused(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pb(tmp_path / "f.pb", VOTES)
    read = pabulib.read_pabulib

    def changing(path: Path) -> PabulibFile:
        file = read(path)
        pb(path, ["9;p"])
        return file

    monkeypatch.setattr(pabulib, "read_pabulib", changing)
    with ledger.opened() as (_, run):
        (poll,) = pabulib.import_pabulib(run, [path], "here")
    assert "was changed while it was being imported" in (poll.report.refused or "")
    assert not ledger.of_type("question.opened")


def test_a_terminal_sees_progress(ledger: Ledger, tmp_path: Path) -> None:
    file = pb(tmp_path / "f.pb", VOTES)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "import", "pabulib", str(file)]
    environment = {**ledger.environment, "TERM": "xterm"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # so ends what a terminal says
            while more := os.read(ours, 4_096):
                shown += more
        assert process.wait() == 0
    os.close(ours)
    assert all(what in shown for what in (b"reading", b"roll", b"ballots", b"4/4"))
