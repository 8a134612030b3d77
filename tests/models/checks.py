"""What is looked up in a log to compare it with the model."""

from typing import Any

from ledger.codec import decode
from ledger.domain.choices import CHOICE_TYPES, Answer, ChoiceChanged, ChoiceMade
from ledger.domain.sealing import unsealed
from ledger.eventlog.port import EVERYTHING, EventLog
from ledger.vault.vault import Vault
from projections.catalogue import all_projections
from projections.digest import Digest, digest
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker


def opened(vault: Vault, question: str, answer: Answer) -> dict[str, int]:
    """The marks of an answer, be it sealed or not."""
    if answer.marks is not None:
        return dict(answer.marks)
    assert answer.sealed is not None
    return unsealed(vault.question_key(question), answer.sealed)


def replayed(log: EventLog, batch: int) -> list[Digest]:
    """The digests of all models after a replay from nothing."""
    store = SQLiteStore(None)
    Worker(log, store, all_projections(), batch=batch).catch_up()
    digests = [digest(store, one) for one in all_projections()]
    store.close()
    return digests


def check_one_standing_choice_for_each_voter(log: EventLog) -> None:
    """Each choice takes the place of the one before it, which it names; none stands beside another."""
    standing: dict[tuple[str, str], Answer] = {}
    for record in log.select(EVERYTHING):
        if record.type not in CHOICE_TYPES:
            continue
        event: Any = decode(record.entry).event
        voter = (event.question, event.voter)
        previous = None if isinstance(event, ChoiceMade) else event.previous
        assert standing.pop(voter, None) == previous
        if isinstance(event, ChoiceMade | ChoiceChanged):
            standing[voter] = event.answer
