"""Compares what the read models say about a poll with the figures that its file publishes."""

from collections.abc import Iterator, Mapping

from ledger.domain.choices import ballots
from ledger.domain.counting.greedy import Greedy
from ledger.domain.counting.outcome import several
from ledger.domain.counting.rules import apply
from ledger.domain.counting.tally import support
from ledger.domain.methods import Approval
from ledger.domain.outcomes import profile
from ledger.domain.questions import OpenQuestion
from projections.answers import DecisionAnswer, QuestionTally
from services.importers.pabulib import Poll
from services.importers.pabulib_figures import Figures
from services.importers.report import Difference
from services.importers.run import Run

_UNEXPLAINED = "Nothing in the file explains this."


def check_poll(run: Run, poll: Poll) -> None:
    """Add to the report where the ledger counts otherwise. The read models are caught up."""
    report, asked, figures = poll.report, poll.asked, poll.figures
    if report.refused or asked is None or figures is None:
        return
    tally = run.queries.tally(asked.question)
    report.checked, report.voters = True, tally.voters
    without = (
        f"Not counted: {several(poll.missing, 'bad ballot')}." if poll.missing else _UNEXPLAINED
    )
    if tally.voters != figures.num_votes:
        missed = figures.num_votes - tally.voters == poll.missing
        found = Difference("num_votes", figures.num_votes, tally.voters, missed, without)
        report.differences.append(found)
    report.differences += _of_figures(run, asked, figures, tally, without)
    decision = run.queries.decision(asked.question)
    if decision.rule is None:
        return
    report.decision = decision.model_dump(include={"rule", "adopted", "tied", "reason"})
    if all(one.selected is None for one in figures.projects):
        report.notes.append("The file does not say what was selected.")
    else:
        report.differences += _of_selection(asked, figures, decision)


def _of_figures(
    run: Run, asked: OpenQuestion, figures: Figures, tally: QuestionTally, otherwise: str
) -> Iterator[Difference]:
    """Where published votes and scores differ; `otherwise` is why, where mentions do not explain it."""
    counts = {one.id: one.count for one in tally.options}
    scores: Mapping[str, int] = {}
    if any(one.score is not None for one in figures.projects):
        scores = _scores(run, asked, tally)
    for one in figures.projects:
        compared = (
            ("votes", one.votes, counts[one.id], figures.votes[one.id]),
            ("score", one.score, scores.get(one.id, 0), figures.score[one.id]),
        )
        for name, published, counted, with_every_mention in compared:
            if published is None or published == counted:
                continue
            what = f"{name} of {one.id}"
            if published == with_every_mention:
                yield _explained(figures, what, one.id, published, counted)
            else:
                yield Difference(what, published, counted, False, otherwise)


def _explained(
    figures: Figures, what: str, project: str, published: int, counted: int
) -> Difference:
    """What every mention accounts for. (A repeated one also moves the other ranks of its ballot.)"""
    those = [one for one in figures.uncounted if one.project == project] or figures.uncounted
    many = sum(one.times - one.counted for one in those)
    why = f"{several(many, 'mention')} too many: the file counts each, the ledger one for each ballot with a mark."
    return Difference(what, published, counted, True, why, those)


def _scores(run: Run, asked: OpenQuestion, tally: QuestionTally) -> Mapping[str, int]:
    """What a rule goes by. Of ranks a tally cannot tell, so their ballots are read from the log."""
    match tally.method:
        case "ranking":
            standing = run.ledger.facts().about(ballots(asked.question)).by_voter
            options = [one.id for one in asked.options]
            return support(asked.method, options, profile(standing, None).weighted())
        case "score" | "points":
            return {one.id: one.total for one in tally.options}
        case _:
            return {one.id: one.count for one in tally.options}


def _of_selection(
    asked: OpenQuestion, figures: Figures, decision: DecisionAnswer
) -> Iterator[Difference]:
    """`selected` 2 and 3 are what the city added by other means (pabulib.org/format)."""
    selected = [one.id for one in figures.projects if one.selected == 1]
    if not decision.tied and set(selected) == set(decision.adopted):
        return
    counted = {"adopted": decision.adopted, "tied": decision.tied}
    if decision.tied and _breaks_tie(asked, figures, decision, frozenset(selected)):
        why = (
            "The rule leaves a tie open; this is one of the ways to break it, and no file says why."
        )
        yield Difference("selected", selected, counted, True, why)
    else:
        yield Difference("selected", selected, counted, False, _UNEXPLAINED)


def _breaks_tie(
    asked: OpenQuestion, figures: Figures, decision: DecisionAnswer, selected: frozenset[str]
) -> bool:
    """Whether the rule gives exactly `selected` if these go first among equals."""
    if not set(decision.adopted) <= selected <= {*decision.adopted, *decision.tied}:
        return False
    rule = asked.rule
    if not isinstance(rule, Greedy):
        budget = getattr(rule, "budget", 0)
        return sum(one.cost or 0 for one in asked.options if one.id in selected) <= budget
    # Twice the support, and one more for those selected: that orders equals and nothing else.
    threshold = None if rule.threshold is None else 2 * rule.threshold
    options = [one.id for one in asked.options]
    weights = [(one, 2 * figures.support[one] + (one in selected)) for one in options]
    votes = [({one: 1}, weight) for one, weight in weights if weight]
    doubled = rule.model_copy(update={"threshold": threshold})
    outcome = apply(doubled, Approval(), asked.options, votes, roll_size=0)
    return not outcome.tied and frozenset(outcome.adopted) == selected
