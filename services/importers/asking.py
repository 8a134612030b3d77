"""Opens the questions of foreign files: all of a file or none, and never one over another."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ledger.codec import encode
from ledger.domain.questions import OpenQuestion, Option, QuestionOpened, question
from ledger.domain.refusals import Reason, Refused
from ledger.recording import Ledger
from services.importers.reading import ImportFileError, quoted
from services.importers.run import Run, carried_out
from services.importers.texts import cut

_SHORTER = (None, 200, 100, 50, 25)
_LONGEST_TIME = "2000-01-01T00:00:00.000000Z"


def fitting(path: Path, asked: OpenQuestion, source: str, notes: list[str]) -> OpenQuestion:
    """The question, with titles of options as long as one entry holds. Raises ImportFileError."""
    for most in _SHORTER:
        shorter = asked
        if most is not None:
            options = tuple(
                Option(id=one.id, title=cut(one.title, most), cost=one.cost)
                for one in asked.options
            )
            shorter = asked.model_copy(update={"options": options})
        fields = {name: getattr(shorter, name) for name in OpenQuestion.model_fields}
        event = QuestionOpened(**fields | {"electorate": asked.area, "opens": _LONGEST_TIME})
        try:
            encode(event, event_id="0" * 34, source=source, time=_LONGEST_TIME)
        except Refused as refusal:
            if refusal.reason is not Reason.ENTRY_TOO_LARGE:
                raise
            too_large = refusal
        else:
            if most is not None:
                notes.append(
                    f"Titles of options are cut to {most} characters: one entry holds them all."
                )
            return shorter
    raise ImportFileError(path, None, too_large.detail, "This question has too many options.")


def ask(run: Run, path: Path, questions: Sequence[OpenQuestion], by_title: bool = False) -> None:
    """Open the questions that are not open yet. Raises ImportFileError, and has opened none then.

    One that exists must ask the same, `by_title` also in words. Its limits stand as they are.
    """
    new = refuse_other(run.ledger, path, questions, by_title)
    commands = ((one.question, one.question, one) for one in new)
    for _, outcome in carried_out(run.ledger, commands):
        if isinstance(outcome, Refused):
            raise ImportFileError(path, None, outcome.detail, "Correct that first.")


def refuse_other(
    ledger: Ledger, path: Path, questions: Sequence[OpenQuestion], by_title: bool = False
) -> list[OpenQuestion]:
    """The questions that do not exist yet. Raises ImportFileError where one asks something else."""
    facts = ledger.facts()
    new = []
    for wanted in questions:
        known = facts.about(question(wanted.question)).asked
        if known is None:
            new.append(wanted)
        elif other := _difference(known, wanted, by_title):
            problem = f"The question {quoted(wanted.question)} exists already, with {other}."
            raise ImportFileError(path, None, problem, "Import this one under another name.")
    return new


def _difference(known: QuestionOpened, wanted: OpenQuestion, by_title: bool) -> str | None:
    """What the question that exists has otherwise, as far as the count rests on it."""
    if known.area != wanted.area:
        return f"another area, {known.area}"
    if known.method.kind != wanted.method.kind:
        return f"the method {known.method.kind}"
    if [(one.id, one.cost) for one in known.options] != [
        (one.id, one.cost) for one in wanted.options
    ]:
        return "other options or costs"
    if known.rule != wanted.rule:
        return "another rule or budget"
    if by_title and known.title != wanted.title:
        return "another text"
    return None


def unaskable(path: Path, error: ValidationError) -> ImportFileError:
    """What a command says of a value that it cannot take, as the refusal of a file."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    if field == "question":
        problem = f"Its name {quoted(path.name)} cannot be part of a question's id."
        remedy = "Rename it: no '?', no '#', no blanks beside each other, and not too long."
        return ImportFileError(path, None, problem, remedy)
    problem = f"No question can be made of it: {f'{field}: ' if field else ''}{first['msg']}."
    return ImportFileError(path, None, problem, "Correct the file.")
