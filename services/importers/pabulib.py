"""Carries Pabulib files into the ledger: areas, one roll for all, questions, ballots, decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from ledger.domain.areas import DefineArea
from ledger.domain.choices import MakeChoice
from ledger.domain.counting.outcome import several
from ledger.domain.counting.rules import CountingLibraryMissing
from ledger.domain.deciding import Command
from ledger.domain.outcomes import RecordDecision
from ledger.domain.questions import CloseQuestion, OpenQuestion, question
from ledger.domain.refusals import Reason, Refused
from services.importers.asking import ask, refuse_other
from services.importers.pabulib_ballots import Ballot
from services.importers.pabulib_figures import Figures
from services.importers.pabulib_file import PabulibFile, read_pabulib
from services.importers.pabulib_question import identity, marks_of, question_id, question_of
from services.importers.reading import ImportFileError
from services.importers.report import FileReport
from services.importers.residents import Resident, settled
from services.importers.run import Run, Show, carried_out, shown, shuffled
from services.importers.territories import define
from services.importers.texts import title

_SORTED = orjson.OPT_SORT_KEYS
_DONE_BEFORE = (Reason.QUESTION_CLOSED, Reason.ALREADY_DECIDED)

_Person = tuple[str, Mapping[str, str] | None]
"""The deepest home that is known of somebody, and what else is."""


@dataclass(slots=True)
class Poll:
    """One file on its way: what was asked, what it publishes, and what became of it.

    `ballots` can be read; `missing` are those that cannot, or that the ledger refused.
    """

    report: FileReport
    asked: OpenQuestion | None = None
    ballots: int = 0
    missing: int = 0
    figures: Figures | None = None


def import_pabulib(run: Run, paths: Sequence[Path], source: str) -> list[Poll]:
    """Import files. Each is read twice, so that only the roll and one file are in memory at a time:
    first for the homes of all voters, then for its ballots. `source` is the ledger's origin."""
    polls, people, areas = [], dict[str, _Person](), dict[str, DefineArea]()
    with run.progress("reading", "files") as show:
        for number, path in enumerate(paths, 1):
            poll = Poll(FileReport(path, "ballots"))
            polls.append(poll)
            try:
                file = read_pabulib(path)
                asked, poll.report.notes = question_of(file, source)
                refuse_other(run.ledger, path, [asked])
                poll.asked = asked
                _collect(file, people, areas)
                poll.ballots = len(file.ballots)
            except ImportFileError as error:
                poll.report.refuse(error)
            show(number, len(paths))
    define(run, areas.values())
    citizens = _settle(run, people)
    run.caught_up()
    done, total = 0, sum(poll.ballots for poll in polls)
    with run.progress("ballots", "ballots") as show:
        for poll in polls:
            if poll.asked is not None:
                try:
                    _carry(run, poll, poll.asked, citizens, _onwards(show, done, total))
                except ImportFileError as error:
                    poll.report.refuse(error)
            done += poll.ballots
    return polls


def _onwards(show: Show, done: int, of: int) -> Show:
    """The progress of one part, told as that of the whole."""
    return lambda at, _: show(done + at, of)


def _collect(file: PabulibFile, people: dict[str, _Person], areas: dict[str, DefineArea]) -> None:
    """Add what a file knows of areas and people. Of two homes side by side, the first stays."""
    for level in file.areas:
        areas.setdefault(
            level.area, DefineArea(area=level.area, name=title(level.name) or level.area)
        )
    home = file.areas[-1].area
    same: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    for ballot in file.ballots:
        who = identity(file, ballot.voter_id)
        known, details = people.get(who, (home, None))
        if home.startswith(known + "/"):
            known = home
        if details is None and ballot.details:  # few differ: one object for all that are the same
            details = same.setdefault(tuple(ballot.details.items()), ballot.details)
        people[who] = (known, details)


def _settle(run: Run, people: Mapping[str, _Person]) -> dict[str, str]:
    """Citizen ids by identity. Whom the roll has elsewhere is told of at each ballot it refuses."""
    residents = (Resident(one, home, details) for one, (home, details) in shuffled(people.items()))
    with run.progress("roll", "people") as show:
        found = shown(settled(run, residents), show, len(people))
        return {one.resident.identity: one.citizen for one in found}


def _carry(
    run: Run, poll: Poll, asked: OpenQuestion, citizens: Mapping[str, str], show: Show
) -> None:
    """Open the question, put its ballots in, and close and decide it once all of them are."""
    report = poll.report
    file = read_pabulib(report.path)
    if any(identity(file, one.voter_id) not in citizens for one in file.ballots):
        problem = "The file was changed while it was being imported."
        raise ImportFileError(report.path, None, problem, "Import it again.")
    ask(run, report.path, [asked])
    report.questions = [asked.question]
    report.bad_rows.extend(file.bad_rows)
    poll.figures = Figures.of(file)
    report.repeated = poll.figures.uncounted
    report.repeats = len({one.line for one in report.repeated})
    commands = _choices(file, citizens)
    poll.missing = sum(row.line > file.projects[-1].line for row in file.bad_rows)
    for ballot, outcome in shown(carried_out(run.ledger, commands), show, len(file.ballots)):
        if isinstance(outcome, Refused):
            report.bad(ballot.line, outcome.detail)
            poll.missing += 1
        else:
            report.counted += 1
            report.new += not outcome.again
    report.voters = report.counted
    if poll.missing:
        report.notes.append(
            f"The question stays open: {several(poll.missing, 'bad ballot')}."
            " Mend the file and import it again."
        )
    else:
        _conclude(run, report, asked)


def _choices(
    file: PabulibFile, citizens: Mapping[str, str]
) -> Iterator[tuple[Ballot, str, MakeChoice]]:
    asked = question_id(file)
    for ballot in shuffled(file.ballots):
        marks = marks_of(file, ballot)
        citizen = citizens[identity(file, ballot.voter_id)]
        command = MakeChoice(citizen=citizen, question=asked, marks=marks)
        yield ballot, f"{asked} {orjson.dumps(marks, option=_SORTED).decode()}", command


def _conclude(run: Run, report: FileReport, asked: OpenQuestion) -> None:
    """Close the question and, if it has a rule, record what this decides."""
    commands: list[Command] = [CloseQuestion(question=asked.question)]
    if asked.rule is not None:
        commands.append(RecordDecision(question=asked.question))
    for command in commands:
        # A count that rests on what was last seen of the question would be taken in vain.
        run.ledger.facts().about(question(asked.question))
        try:
            ((_, outcome),) = carried_out(run.ledger, [(None, asked.question, command)])
        except CountingLibraryMissing as error:
            report.undecided = f"All ballots are counted, but nothing is decided: {error}"
            return
        if isinstance(outcome, Refused) and outcome.reason not in _DONE_BEFORE:
            report.undecided = f"All ballots are counted, but nothing is decided: {outcome.detail}"
