"""Compares the standing choices in a conversation with its final matrix, cell by cell."""

from collections.abc import Iterator

from services.importers.polis import STATEMENT, identity, question_id
from services.importers.polis_folder import PolisConversation
from services.importers.report import Difference, FileReport
from services.importers.run import Run

_UNEXPLAINED = "Nothing in the folder explains this."


def check_conversation(run: Run, report: FileReport, conversation: PolisConversation) -> None:
    """Add to the report where the ledger and the matrix differ. The read models are caught up."""
    if conversation.expected is None:
        report.notes.append("The folder has no final matrix to compare with.")
        return
    standing = dict(_standing(run, conversation))
    for cell in sorted({*standing, *conversation.expected}, key=_in_order):
        published, counted = conversation.expected.get(cell), standing.get(cell)
        if published != counted:
            what = f"participant {cell[0]}, statement {cell[1]}"
            report.differences.append(Difference(what, published, counted, False, _UNEXPLAINED))
    report.checked = True


def _standing(
    run: Run, conversation: PolisConversation
) -> Iterator[tuple[tuple[str, str], int | None]]:
    """Every standing mark by participant and statement, as each citizen's own model has it."""
    statements = {question_id(conversation.name, one.id): one.id for one in conversation.statements}
    voters = dict.fromkeys(
        (*conversation.participants, *(vote.voter_id for vote in conversation.votes))
    )
    with run.progress("checking", "participants") as show:
        for number, voter in enumerate(voters, 1):
            citizen = run.ledger.vault.enrol(identity(conversation.name, voter))
            for choice in run.queries.citizen(citizen).choices:
                statement = statements.get(choice.question)
                if statement is not None:
                    yield (voter, statement), (choice.marks or {}).get(STATEMENT)
            show(number, len(voters))


def _in_order(cell: tuple[str, str]) -> tuple[int, int]:
    return int(cell[0]), int(cell[1])
