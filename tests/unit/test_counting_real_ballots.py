"""Counts and decisions against what cities published (design: ../shared/data, see its README)."""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.domain.counting.rules import Outcome, apply, pabulib_rule
from ledger.domain.counting.tally import Profile, Tally, support
from ledger.domain.methods import Approval, Method, Points, Ranking, Single, illegality
from tests.unit.counting import Option

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs the real ballots of ../shared/data, which are not published"
)

FILES = sorted(DATA.glob("pabulib*/*.pb"))


class Poll(NamedTuple):
    meta: dict[str, str]
    projects: list[dict[str, str]]
    votes: list[dict[str, str]]

    def number(self, field: str) -> int | None:
        return int(self.meta[field]) if field in self.meta else None

    def method(self) -> Method:
        low, high = self.number("min_length"), self.number("max_length")
        match self.meta["vote_type"]:
            case "approval":
                return Approval(minimum=low, maximum=high)
            case "ordinal":
                return Ranking(minimum=low, maximum=high)
            case "cumulative":
                return Points(total=self.number("max_sum_points") or 0)
            case _:
                return Single()

    def marks(self, vote: dict[str, str]) -> dict[str, int]:
        """Each project once, even where the ballot repeats it."""
        named = list(dict.fromkeys(vote["vote"].split(",")))
        match self.meta["vote_type"]:
            case "ordinal":
                return {project: rank for rank, project in enumerate(named, 1)}
            case "cumulative":
                points = map(int, vote["points"].split(","))
                return dict(zip(named, points, strict=True))
            case _:
                return dict.fromkeys(named, 1)

    def profile(self) -> Profile:
        ballots = Counter(tuple(self.marks(vote).items()) for vote in self.votes)
        return [(dict(marks), voters) for marks, voters in ballots.items()]

    def outcome(self) -> Outcome | None:
        rule = pabulib_rule(
            self.meta["rule"], int(self.meta["budget"]), self.number("min_project_score_threshold")
        )
        if rule is None:
            return None
        options = [Option(row["project_id"], int(row["cost"])) for row in self.projects]
        return apply(rule, self.method(), options, self.profile(), roll_size=0)


def read(path: Path) -> Poll:
    sections: dict[str, list[list[str]]] = {"META": [], "PROJECTS": [], "VOTES": []}
    with path.open(encoding="utf-8", newline="") as lines:
        section: list[list[str]] = []
        for row in csv.reader(lines, delimiter=";"):
            if len(row) == 1 and row[0] in sections:
                section = sections[row[0]]
            else:
                section.append(row)
    tables = [
        [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] for rows in sections.values()
    ]
    return Poll({row["key"]: row["value"] for row in tables[0]}, tables[1], tables[2])


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def poll(request: pytest.FixtureRequest) -> Poll:
    return read(request.param)


def test_every_published_ballot_is_legal_and_counted(poll: Poll) -> None:
    costs = {project["project_id"]: int(project["cost"]) for project in poll.projects}
    illegal = [illegality(poll.method(), poll.marks(vote), costs) for vote in poll.votes]
    assert not any(illegal)
    tally = Tally.of(costs, poll.profile())
    assert tally.voters == int(poll.meta["num_votes"])
    named = Counter(project for vote in poll.votes for project in vote["vote"].split(","))
    repeats = named - Counter(project for vote in poll.votes for project in poll.marks(vote))
    for project, counted in zip(poll.projects, tally.options, strict=True):
        assert counted.count + repeats[counted.id] == int(project["votes"])


def test_support_is_the_published_score_where_there_is_one_and_else_the_count(poll: Poll) -> None:
    options = [row["project_id"] for row in poll.projects]
    published = {option.id: option.count for option in Tally.of(options, poll.profile()).options}
    if "score" in poll.projects[0]:
        published = {row["project_id"]: int(row["score"]) for row in poll.projects}
    assert support(poll.method(), options, poll.profile()) == published


def test_the_rule_adopts_what_was_selected(poll: Poll) -> None:
    outcome = poll.outcome()
    if outcome is None:
        assert poll.meta["rule"] == "greedy-custom"
    elif "selected" in poll.projects[0]:
        selected = {row["project_id"] for row in poll.projects if row["selected"] == "1"}
        assert set(outcome.adopted) <= selected <= {*outcome.adopted, *outcome.tied}


def test_two_decisions_of_warsaw_rest_on_a_tie_that_the_city_broke() -> None:
    """In both the city took the cheaper of two projects with equal votes; no file says why."""
    outcomes = {path.stem: read(path).outcome() for path in FILES if "Warszawa_2026" in path.stem}
    assert {
        name: outcome.tied for name, outcome in outcomes.items() if outcome and outcome.tied
    } == {
        "Poland_Warszawa_2026_Stary_Mokotow": ("64", "1534"),
        "Poland_Warszawa_2026_Marymont-Potok_Stary_Zoliborz": (
            "683",
            "1068",
            "1632",
            "1616",
            "1262",
        ),
    }
