"""Carries Polis conversations into the ledger: each statement is a question, and stays open."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from ledger.domain.areas import DefineArea
from ledger.domain.choices import MakeChoice
from ledger.domain.methods import Agreement
from ledger.domain.questions import OpenQuestion, Option
from ledger.domain.refusals import Refused
from services.importers.area_paths import slug
from services.importers.asking import ask, fitting, unaskable
from services.importers.polis_folder import PolisConversation, Statement, Vote, read_polis
from services.importers.reading import ImportFileError
from services.importers.report import FileReport
from services.importers.residents import Resident, settled
from services.importers.run import Run, carried_out, shown
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
    """Import one conversation, its participants and all their votes in the order of time."""
    report = FileReport(folder, "votes")
    try:
        conversation = read_polis(folder)
        questions = _questions(conversation, source, report.notes)
        area = DefineArea(area=_area(conversation), name=title(conversation.topic) or "Polis")
        define(run, (_ALL, area))
        report.bad_rows.extend(conversation.bad_rows)
        citizens = _settle(run, conversation)
        run.caught_up()
        ask(run, folder, questions, by_title=True)
    except ImportFileError as error:
        report.refuse(error)
        return report, None
    report.question = f"polis/{conversation.name}"
    report.voters = len(citizens)
    total = len(conversation.votes)
    with run.progress(conversation.name, "votes") as show:
        commands = _choices(conversation, citizens)
        for vote, outcome in shown(carried_out(run.ledger, commands), show, total):
            if isinstance(outcome, Refused):
                report.bad(vote.line, outcome.detail, folder / "votes.csv")
            else:
                report.counted += 1
                report.new += not outcome.again
    if conversation.repeats:
        report.notes.append(f"{conversation.repeats:,} votes repeat what their voter said last.")
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
    voters = dict.fromkeys((*conversation.participants, *(v.voter_id for v in conversation.votes)))
    area, name = _area(conversation), conversation.name
    residents = (Resident(identity(name, voter), area) for voter in voters)
    with run.progress("roll", "people") as show:
        found = [one.citizen for one in shown(settled(run, residents), show, len(voters))]
    return dict(zip(voters, found, strict=True))


def _choices(
    conversation: PolisConversation, citizens: Mapping[str, str]
) -> Iterator[tuple[Vote, str, MakeChoice]]:
    """The votes as commands. A key rests on all that its voter has said of the statement so far:
    so a voter may change their mind back and forth, and a mended file ends as it says."""
    said: dict[tuple[str, str], str] = {}
    for vote in conversation.votes:
        about = (vote.voter_id, vote.statement_id)
        said[about] = f"{said.get(about, '')} {vote.timestamp_ms}:{vote.mark}"
        question = question_id(conversation.name, vote.statement_id)
        command = MakeChoice(
            citizen=citizens[vote.voter_id], question=question, marks={STATEMENT: vote.mark}
        )
        yield vote, f"{question}{said[about]}", command
