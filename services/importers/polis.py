"""Carries Polis conversations into the ledger: each statement is a question, and stays open."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from ledger.domain.areas import DefineArea
from ledger.domain.choices import MakeChoice
from ledger.domain.methods import Agreement
from ledger.domain.questions import OpenQuestion, Option
from ledger.domain.refusals import Refused
from ledger.recording import Accepted
from services.importers.area_paths import slug
from services.importers.asking import ask, fitting, refuse_other, unaskable
from services.importers.polis_folder import PolisConversation, Statement, Vote, read_polis
from services.importers.reading import ImportFileError
from services.importers.report import FileReport
from services.importers.residents import Resident, settled
from services.importers.run import Run, carried_out, shown, shuffled
from services.importers.territories import define
from services.importers.texts import title, words

STATEMENT = "statement"
"""The one option of a question: to agree with it (1), to pass (0) or to disagree (-1)."""

_ALL = DefineArea(area="polis", name="Polis conversations")


def question_id(folder: str, statement_id: str) -> str:
    return f"polis/{folder}/{statement_id}"


def identity(folder: str, voter_id: str) -> str:
    return f"polis/{folder}/{voter_id}"


def import_polis(
    run: Run, folder: Path, source: str
) -> tuple[FileReport, PolisConversation | None]:
    """Import one conversation: its participants, its statements, and all votes."""
    report = FileReport(folder, "votes")
    try:
        conversation = read_polis(folder)
        questions = _questions(conversation, source, report.notes)
        area = DefineArea(area=_area(conversation), name=title(conversation.topic) or "Polis")
        refuse_other(run.ledger, folder, questions, by_title=True)
        define(run, (_ALL, area))
        report.bad_rows.extend(conversation.bad_rows)
        citizens = _settle(run, conversation)
        run.caught_up()
        ask(run, folder, questions, by_title=True)
    except ImportFileError as error:
        report.refuse(error)
        return report, None
    report.questions = [one.question for one in questions]
    report.voters = len(citizens)
    total = len(conversation.votes)
    with run.progress(conversation.name, "votes") as show:
        for vote, outcome in shown(_voted(run, conversation, citizens), show, total):
            if isinstance(outcome, Refused):
                report.bad(vote.line, outcome.detail, folder / "votes.csv")
            else:
                report.counted += 1
                report.new += not outcome.again
    report.repeats = conversation.repeats
    return report, conversation


def _area(conversation: PolisConversation) -> str:
    return f"polis/{slug(conversation.name)}"


def _questions(
    conversation: PolisConversation, source: str, notes: list[str]
) -> list[OpenQuestion]:
    try:
        asked = [_question(conversation, one) for one in conversation.statements]
    except ValidationError as error:
        raise unaskable(conversation.path, error) from error
    return [fitting(conversation.path, one, source, notes) for one in asked]


def _question(conversation: PolisConversation, statement: Statement) -> OpenQuestion:
    text = title(statement.body or "") or f"Statement {statement.id}"
    context = (
        statement.body if statement.body and title(statement.body) != statement.body else None,
        f"Statement {statement.id} of the Polis conversation {conversation.topic!r}.",
        conversation.url,
        conversation.description,
    )
    return OpenQuestion(
        question=question_id(conversation.name, statement.id),
        title=text,
        about=words("\n\n".join(filter(None, context))),
        area=_area(conversation),
        method=Agreement(),
        options=(Option(id=STATEMENT, title=text),),
    )


def _settle(run: Run, conversation: PolisConversation) -> dict[str, str]:
    """Citizen ids by voter id, of everybody who voted or has a row in the matrix."""
    voters = shuffled({*conversation.participants, *(one.voter_id for one in conversation.votes)})
    area, name = _area(conversation), conversation.name
    with run.progress("roll", "people") as show:
        residents = (Resident(identity(name, voter), area) for voter in voters)
        found = [one.citizen for one in shown(settled(run, residents), show, len(voters))]
    return dict(zip(voters, found, strict=True))


def _voted(
    run: Run, conversation: PolisConversation, citizens: Mapping[str, str]
) -> Iterator[tuple[Vote, Accepted | Refused]]:
    """Carry out all votes: what people said first of each statement, then what they said next.

    A vote's key is all that its voter has said of the statement so far. So they may change their
    mind back and forth, and a mended file ends as it says.
    """
    said: dict[tuple[str, str], list[str]] = {}
    rounds: list[list[tuple[Vote, str]]] = []
    for vote in conversation.votes:
        before = said.setdefault((vote.voter_id, vote.statement_id), [])
        if len(before) == len(rounds):
            rounds.append([])
        before.append(f"{vote.timestamp_ms}:{vote.mark}")
        rounds[len(before) - 1].append((vote, " ".join(before)))
    for votes in rounds:
        commands = (_choice(conversation, citizens, *one) for one in shuffled(votes))
        yield from carried_out(run.ledger, commands)


def _choice(
    conversation: PolisConversation, citizens: Mapping[str, str], vote: Vote, said: str
) -> tuple[Vote, str, MakeChoice]:
    question = question_id(conversation.name, vote.statement_id)
    marks = {STATEMENT: vote.mark}
    command = MakeChoice(citizen=citizens[vote.voter_id], question=question, marks=marks)
    return vote, f"{question} {said}", command
