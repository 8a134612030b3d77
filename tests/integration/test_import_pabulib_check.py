"""`import pabulib --check`: which differences a file explains itself, and which it does not."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.importing import Ledger, line_of, pb

FIGURES = "project_id;cost;votes;score;selected"


def differences(ledger: Ledger, file: Path, exit_code: int) -> list[dict[str, Any]]:
    ran = ledger.run("import", "pabulib", file, "--check", "--json")
    assert ran.exit_code == exit_code, ran.out
    found: list[dict[str, Any]] = ran.files[0]["differences"]
    return found


def test_a_project_named_twice_counts_once_and_is_listed(ledger: Ledger, tmp_path: Path) -> None:
    file = pb(
        tmp_path / "f.pb",
        ["a;p,q,p,p", "b;p"],
        projects=["p;1;4", "q;2;1", "r;3;0"],
        figures="project_id;cost;votes",
    )
    line = line_of(file, "a;p,q,p,p")
    (found,) = differences(ledger, file, exit_code=0)
    assert (found["what"], found["published"], found["counted"]) == ("votes of p", 4, 2)
    assert found["explained"] is True
    assert "2 mentions too many" in found["why"]
    assert found["ballots"] == [
        {"line": line, "voter_id": "a", "project": "p", "times": 3, "counted": 1}
    ]
    told = ledger.run("import", "pabulib", file, "--check").out
    assert "votes of p: published 4, counted 2. explained: 2 mentions too many" in told
    assert f"{file}:{line}: voter a names p 3 times, which counts once" in told


@pytest.mark.parametrize(
    ("vote_type", "votes", "projects", "expected"),
    [
        (  # Borda by the file: a p=3 q=2 p=1; by the ledger: p=2 q=1
            "ordinal",
            ["a;p,q,p", "b;q,p"],
            ["p;1;3;5;1", "q;2;2;4;1", "r;3;0;0;0"],
            {"votes of p": (3, 2), "score of p": (5, 3), "score of q": (4, 3)},
        ),
        (  # by the file: a p=5 q=4 p=3 r=2 q=1; by the ledger: p=3 q=2 r=1
            "ordinal",
            ["a;p,q,p,r,q", "b;q,p"],
            ["p;1;3;9;1", "q;2;3;7;1", "r;3;1;2;0"],
            {
                "votes of p": (3, 2),
                "score of p": (9, 4),
                "votes of q": (3, 2),
                "score of q": (7, 4),
                "score of r": (2, 1),
            },
        ),
        (
            "cumulative",
            ["a;p,q,p;2,1,2", "b;q,r;1,0"],
            ["p;1;2;4;1", "q;2;2;2;1", "r;3;1;0;0"],
            {"votes of p": (2, 1), "score of p": (4, 2), "votes of r": (1, 0)},
        ),
    ],
)
def test_repeated_mentions_explain_scores_and_empty_points_votes(
    ledger: Ledger,
    tmp_path: Path,
    vote_type: str,
    votes: list[str],
    projects: list[str],
    expected: dict[str, tuple[int, int]],
) -> None:
    columns = "voter_id;vote;points" if vote_type == "cumulative" else "voter_id;vote"
    file = pb(
        tmp_path / "f.pb",
        votes,
        columns=columns,
        projects=projects,
        figures=FIGURES,
        vote_type=vote_type,
    )
    found = differences(ledger, file, exit_code=0)
    assert {one["what"]: (one["published"], one["counted"]) for one in found} == expected
    assert all(one["explained"] and one["ballots"] for one in found)


@pytest.mark.parametrize(
    ("projects", "what"),
    [
        (["p;1;3;2;1", "q;2;1;1;1", "r;3;1;1;0"], ["votes of p"]),
        (["p;1;2;2;1", "q;2;1;7;1", "r;3;1;1;0"], ["score of q"]),
        (["p;1;2;2;1", "q;2;1;1;0", "r;3;1;1;1"], ["selected"]),
        (["p;1;2;2;1", "q;2;1;1;0", "r;3;1;1;0"], ["selected"]),
    ],
)
def test_what_nothing_explains_makes_the_check_fail(
    ledger: Ledger, tmp_path: Path, projects: list[str], what: list[str]
) -> None:
    file = pb(tmp_path / "f.pb", ["1;p,q", "2;p", "3;r"], projects=projects, figures=FIGURES)
    assert ledger.run("import", "pabulib", file).exit_code == 0
    found = differences(ledger, file, exit_code=1)
    assert [one["what"] for one in found] == what
    assert not any(one["explained"] for one in found)
    assert "NOT as published" in ledger.run("import", "pabulib", file, "--check").out


@pytest.mark.parametrize(
    ("selected", "explained"),
    [("110", True), ("101", True), ("100", False), ("111", False), ("011", False)],
)
def test_a_tie_that_the_city_broke_is_explained_only_if_the_rule_leaves_that_way_open(
    ledger: Ledger, tmp_path: Path, selected: str, explained: bool
) -> None:
    """After p, there is money for q or for r; both have one vote."""
    costs = {"p": (1, 2), "q": (2, 1), "r": (2, 1)}
    projects = [
        f"{one};{cost};{votes};{chosen}"
        for (one, (cost, votes)), chosen in zip(costs.items(), selected, strict=True)
    ]
    figures = "project_id;cost;votes;selected"
    file = pb(tmp_path / "f.pb", ["1;p,q", "2;p", "3;r"], projects=projects, figures=figures)
    (found,) = differences(ledger, file, exit_code=0 if explained else 1)
    assert (found["what"], found["explained"]) == ("selected", explained)
    assert found["counted"] == {"adopted": ["p"], "tied": ["q", "r"]}
    assert ("one of the ways to break it" in found["why"]) is explained


def test_a_tie_is_not_explained_by_a_choice_that_no_order_of_equals_gives(
    ledger: Ledger, tmp_path: Path
) -> None:
    """q, r and s are level; either q goes first and fills the budget, or r and s both fit in."""
    chosen = {"r": 1, "s": 1, "q": 0}
    costs = {"q": 2, "r": 1, "s": 1}
    for name, selected, exit_code in (("both", chosen, 0), ("one", {**chosen, "s": 0}, 1)):
        projects = [f"{one};{cost};1;{selected[one]}" for one, cost in costs.items()]
        file = pb(
            tmp_path / f"{name}.pb",
            ["1;q", "2;r", "3;s"],
            projects=projects,
            figures="project_id;cost;votes;selected",
            budget="2",
        )
        differences(ledger, file, exit_code)


@pytest.mark.parametrize("rule", ["greedy-custom", "unknown", "our own way"])
def test_where_the_file_defines_no_rule_no_decision_is_claimed(
    ledger: Ledger, tmp_path: Path, rule: str
) -> None:
    projects = ["p;1;2;2;0", "q;2;1;1;1", "r;3;1;1;1"]
    file = pb(
        tmp_path / "f.pb", ["1;p,q", "2;p", "3;r"], projects=projects, figures=FIGURES, rule=rule
    )
    ran = ledger.run("import", "pabulib", file, "--check", "--json")
    assert ran.exit_code == 0
    (report,) = ran.files
    assert (report["decision"], report["differences"]) == (None, [])
    assert any("no decision is claimed" in note for note in report["notes"])
    assert not ledger.of_type("decision.recorded")
    assert len(ledger.of_type("question.closed")) == 1


def test_bad_ballots_are_told_as_the_reason_of_what_is_missing(
    ledger: Ledger, tmp_path: Path
) -> None:
    projects = ["p;1;2;2;1", "q;2;1;1;1", "r;3;1;1;0"]
    file = pb(tmp_path / "f.pb", ["1;p,q", "2;p", "3;x"], projects=projects, figures=FIGURES)
    found = differences(ledger, file, exit_code=1)
    assert {one["what"]: one["explained"] for one in found} == {
        "num_votes": True,
        "votes of r": False,
        "score of r": False,
    }
    assert {one["why"] for one in found} == {"Not counted: 1 bad ballot."}
