"""Turns a Pabulib file into the question that the city asked: method, options, rule."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from ledger.domain import methods
from ledger.domain.counting import rules
from ledger.domain.counting.outcome import listed, several
from ledger.domain.counting.rules import Rule, pabulib_rule
from ledger.domain.methods import Approval, Method, Points, Ranking, Score, Single
from ledger.domain.questions import OpenQuestion, Option
from services.importers.asking import fitting, unaskable
from services.importers.pabulib_ballots import Ballot
from services.importers.pabulib_file import PabulibFile
from services.importers.texts import title, words

LARGEST_NUMBER = 10_000
"""The largest number of options that a method can name as a limit."""


def question_id(file: PabulibFile) -> str:
    return f"pabulib/{file.name}"


def identity(file: PabulibFile, voter_id: str) -> str:
    return f"pabulib/{file.unit}/{voter_id}"


def question_of(file: PabulibFile, source: str) -> tuple[OpenQuestion, list[str]]:
    """The question, and what a reader of the import should know about it.

    Raises ImportFileError for a file of which no question can be made. `source` is the ledger's
    origin, which takes up room in the entry.
    """
    notes: list[str] = []
    try:
        method = _method(file, notes)
        options = tuple(
            Option(id=one.id, title=title(one.name) or one.id, cost=one.cost)
            for one in file.projects
        )
        asked = OpenQuestion(
            question=question_id(file),
            title=title(file.description) or title(file.name),
            about=_about(file),
            area=file.areas[-1].area,
            method=method,
            options=options,
            rule=_rule(file, method, options, notes),
        )
    except ValidationError as error:
        raise unaskable(file.path, error) from error
    return fitting(file.path, asked, source, notes), notes


def marks_of(file: PabulibFile, ballot: Ballot) -> dict[str, int]:
    """The marks that a ballot gives. An option given no points is not marked."""
    if file.vote_type == "cumulative":
        return {project: mark for project, mark in ballot.marks if mark}
    return {project: 1 if mark is None else mark for project, mark in ballot.marks}


def _method(file: PabulibFile, notes: list[str]) -> Method:
    """The method that the file describes, with its limits.

    Where ballots go beyond these and the published `votes` include them to the last one, the city
    counted them: then the limits are as wide as they need. Without that proof the limits hold, and
    the ledger refuses these ballots.
    """
    strict, wide = _limited(file, ()), _limited(file, file.ballots)
    if strict == wide:
        return strict
    costs = {one.id: one.cost for one in file.projects}
    beyond = []
    for ballot in file.ballots:
        marks = marks_of(file, ballot)
        if methods.illegality(strict, marks, costs) and not methods.illegality(wide, marks, costs):
            beyond.append(ballot)
    if not _counted_by_publisher(file, beyond):
        return strict
    lines = listed([f"line {one.line}" for one in beyond], most=5)
    notes.append(
        f"Beyond the file's own limits: {several(len(beyond), 'ballot')} ({lines}). The published"
        " votes include them, so they are counted: the limits are as wide as they need."
    )
    return wide


def _limited(file: PabulibFile, ballots: Sequence[Ballot]) -> Method:
    """The method with the limits of the file, or wider ones so that these ballots keep to them."""
    marks = [
        found for one in ballots if (found := marks_of(file, one)) and min(found.values()) >= 0
    ]
    numbers = [len(one) for one in marks]
    bounds: dict[str, Any] = {
        "minimum": _least(file.min_length, numbers),
        "maximum": _most(file.max_length, numbers),
    }
    costs = {one.id: one.cost for one in file.projects}
    spent = (sum(costs[project] for project in one) for one in marks)
    match file.vote_type:
        case "choose-1":
            return Single()
        case "approval":
            limit = file.max_sum_cost
            return Approval(**bounds, max_cost=None if limit is None else max([limit, *spent]))
        case "ordinal":
            return Ranking(**bounds)
        case "scoring":
            given = [mark for one in marks for mark in one.values()]
            return Score(max_mark=max([file.max_points or _largest(file), *given]))
        case "cumulative":
            sums = [sum(one.values()) for one in marks]
            total = file.max_sum_points or _largest_sum(file)
            least = _least(file.min_sum_points, sums)
            return Points(**bounds, total=max([total, *sums]), min_total=least)


def _largest(file: PabulibFile) -> int:
    return max((mark or 0 for one in file.ballots for _, mark in one.marks), default=1) or 1


def _largest_sum(file: PabulibFile) -> int:
    return max((sum(marks_of(file, one).values()) for one in file.ballots), default=1) or 1


def _least(limit: int | None, numbers: Sequence[int]) -> int | None:
    return min([limit, *numbers]) if limit else None


def _most(limit: int | None, numbers: Sequence[int]) -> int | None:
    return None if not limit or limit > LARGEST_NUMBER else max([limit, *numbers])


def _counted_by_publisher(file: PabulibFile, ballots: Iterable[Ballot]) -> bool:
    """Whether the published votes of every project that these ballots name include their mentions."""
    everyone: Counter[str] = Counter()
    for ballot in file.ballots:
        everyone.update(project for project, _ in (*ballot.marks, *ballot.further))
    published = {one.id: one.votes for one in file.projects}
    named = {project for ballot in ballots for project, _ in ballot.marks}
    return all(published[project] == everyone[project] for project in named)


def _rule(
    file: PabulibFile, method: Method, options: Sequence[Option], notes: list[str]
) -> Rule | None:
    rule = pabulib_rule(
        file.rule, file.budget, file.min_project_score_threshold, step=file.money_scale
    )
    if rule is None:
        problem = f"What the rule {title(file.rule, 60)!r} means, the file does not define"
    elif file.default_score:
        problem = f"The rule would need the default score of {file.default_score}"
    else:
        problem = (rules.misfit(rule, method, options) or "").rstrip(".")
    if not problem:
        return rule
    notes.append(f"{problem}: no decision is claimed.")
    return None


def _about(file: PabulibFile) -> str | None:
    """What else the file says of the vote: its dates, its money, its comment."""
    days = [f"{day:%Y-%m-%d}" for day in (file.date_begin, file.date_end) if day is not None]
    whole, parts = divmod(file.budget, file.money_scale)
    places = len(str(file.money_scale)) - 1
    budget = f"{whole:,}" + (f".{parts:0{places}}" if places else "")
    facts = [
        f"Voted on {' to '.join(days)}." if days else "",
        f"Budget: {budget} {file.currency or ''}".rstrip() + ".",
        f"Costs are in units of which {file.money_scale:,} make one." if places else "",
        f"Rule: {file.rule}.",
    ]
    return words("\n".join(filter(None, (" ".join(filter(None, facts)), file.meta.get("comment")))))
