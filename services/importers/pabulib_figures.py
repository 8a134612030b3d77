"""What a Pabulib file publishes, and what its ballots add up to with every mention counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.importers.pabulib_ballots import Ballot
from services.importers.pabulib_file import PabulibFile
from services.importers.pabulib_projects import Project
from services.importers.pabulib_question import marks_of
from services.importers.report import Mention


@dataclass(slots=True)
class Figures:
    """What a count is compared with.

    `votes` and `score` hold every mention of a project, so that they show what the publisher
    counted; `support` holds what a rule goes by, each ballot's mention once. `uncounted` are the
    mentions that make the difference.
    """

    num_votes: int
    projects: Sequence[Project]
    votes: Counter[str] = field(default_factory=Counter)
    score: Counter[str] = field(default_factory=Counter)
    support: Counter[str] = field(default_factory=Counter)
    uncounted: list[Mention] = field(default_factory=list)

    @classmethod
    def of(cls, file: PabulibFile) -> "Figures":
        figures = cls(file.num_votes, file.projects)
        for ballot in file.ballots:
            figures._add(ballot, marks_of(file, ballot), file.vote_type == "ordinal")
        return figures

    def _add(self, ballot: Ballot, marks: dict[str, int], ranked: bool) -> None:
        places = _places(ballot) if ranked else (*ballot.marks, *ballot.further)
        self.votes.update(project for project, _ in places)
        for project, mark in places:
            self.score[project] += _points(mark, len(places), ranked)
        for project, mark in marks.items():
            self.support[project] += _points(mark, len(marks), ranked)
        if len(marks) < len(places):
            named = Counter(project for project, _ in places)
            self.uncounted.extend(
                Mention(ballot.line, ballot.voter_id, project, times, int(project in marks))
                for project, times in named.items()
                if times != int(project in marks)
            )


def _points(mark: int | None, length: int, ranked: bool) -> int:
    """What a mention adds to a score: its points, or as a rank those of Borda; or one."""
    if mark is None:
        return 1
    return length + 1 - mark if ranked else mark


def _places(ballot: Ballot) -> list[tuple[str, int]]:
    """The mentions of a ranking with their places in the file; `Ballot.marks` is ranked anew."""
    further = {place: project for project, place in ballot.further}
    first = iter(ballot.marks)
    number = len(ballot.marks) + len(ballot.further)
    return [
        (further[place] if place in further else next(first)[0], place)
        for place in range(1, number + 1)
    ]
