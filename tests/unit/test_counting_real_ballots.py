"""Counts and decisions against what cities published (design: ../shared/data, see its README)."""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.domain.counting.rules import apply, pabulib_rule
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


def test_support_is_the_published_score(poll: Poll) -> None:
    if "score" not in poll.projects[0]:
        pytest.skip("the file publishes no scores")
    published = {project["project_id"]: int(project["score"]) for project in poll.projects}
    assert support(poll.method(), published, poll.profile()) == published


def test_the_rule_adopts_what_was_selected(poll: Poll) -> None:
    rule = pabulib_rule(
        poll.meta["rule"], int(poll.meta["budget"]), poll.number("min_project_score_threshold")
    )
    if rule is None or "selected" not in poll.projects[0]:
        pytest.skip("the file defines no rule, or does not say what was selected")
    if rule.name == "equal-shares":
        pytest.importorskip("pabutools")
    options = [Option(project["project_id"], int(project["cost"])) for project in poll.projects]
    outcome = apply(rule, poll.method(), options, poll.profile(), roll_size=0)
    selected = {row["project_id"] for row in poll.projects if row["selected"] == "1"}
    assert set(outcome.adopted) <= selected <= {*outcome.adopted, *outcome.tied}


def test_two_decisions_of_warsaw_rest_on_a_tie_that_the_city_broke() -> None:
    """In both, the city took the cheaper of two projects with equal votes; no file says by what rule."""
    resting = {}
    for path in FILES:
        poll = read(path)
        if not path.stem.startswith("Poland_Warszawa_2026"):
            continue
        rule = pabulib_rule(
            poll.meta["rule"], int(poll.meta["budget"]), poll.number("min_project_score_threshold")
        )
        assert rule is not None
        options = [Option(row["project_id"], int(row["cost"])) for row in poll.projects]
        outcome = apply(rule, poll.method(), options, poll.profile(), roll_size=0)
        if outcome.tied:
            resting[path.stem] = outcome.tied
    assert resting == {
        "Poland_Warszawa_2026_Stary_Mokotow": ("64", "1534"),
        "Poland_Warszawa_2026_Marymont-Potok_Stary_Zoliborz": (
            "683",
            "1068",
            "1632",
            "1616",
            "1262",
        ),
    }
