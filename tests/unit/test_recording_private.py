"""What a command holds of a person's own words: it goes to the vault first, and nowhere else."""

from collections.abc import Sequence

import orjson
import pytest

from ledger.codec import decode
from ledger.domain.choices import ChoiceMade, MakeChoice
from ledger.domain.questions import CloseQuestion
from ledger.domain.refusals import Refused
from ledger.domain.roll import RegisterCitizen
from ledger.eventlog.port import EVERYTHING, Append, EventLog, LogUnavailable
from ledger.recording import Ledger
from ledger.vault.vault import PrivatePart, Vault
from tests.unit.asking import question
from tests.unit.domain import COUNTRY, DISTRICT, TOWN
from tests.unit.ledgers import (
    MASTER_KEY,
    ContestedLog,
    FailingLog,
    WatchedLog,
    carry_out,
    new_ledger,
)

WORDS = "For my mother, who asked for it."


def with_anna(ledger: Ledger) -> str:
    anna = ledger.vault.enrol("anna")
    registered = RegisterCitizen(citizen=anna, home="aa/bb/cc")
    carry_out(ledger, COUNTRY, TOWN, DISTRICT, registered, question())
    return anna


def said(citizen: str, comment: str = WORDS) -> MakeChoice:
    return MakeChoice(citizen=citizen, question="q", marks={"a": 1}, comment=comment)


def commitments(log: EventLog) -> dict[str, str]:
    """By the ids of the events that hold one."""
    entries = [orjson.loads(record.entry) for record in log.select(EVERYTHING)]
    return {one["id"]: one["data"]["private"] for one in entries if "private" in one["data"]}


def swept(ledger: Ledger) -> int:
    known = commitments(ledger.log)
    return ledger.vault.sweep(lambda event_id, commitment: known.get(event_id) == commitment)


@pytest.mark.parametrize("together", [False, True])
def test_the_entry_commits_to_what_the_vault_keeps(together: bool) -> None:
    ledger = new_ledger()
    anna = with_anna(ledger)
    if together:
        ledger.execute_all([("c1", said(anna))])
    else:
        ledger.execute(said(anna), "c1")
    (commitment,) = commitments(ledger.log).values()
    assert ledger.vault.private_part("c1/1", commitment) == {"comment": WORDS}
    assert not any(b"mother" in record.entry for record in ledger.log.select(EVERYTHING))
    assert swept(ledger) == 0


def test_it_is_in_the_vault_before_the_entry_is_in_the_log() -> None:
    log = WatchedLog()
    ledger = new_ledger(log)
    anna = with_anna(ledger)
    seen = []

    def watch(appends: Sequence[Append]) -> None:
        for append in appends:
            event = decode(append.events[0].entry).event
            assert isinstance(event, ChoiceMade)
            assert event.private is not None
            seen.append(ledger.vault.private_part("c1/1", event.private))

    log.watch = watch
    ledger.execute(said(anna), "c1")
    assert seen == [{"comment": WORDS}]


def test_a_part_whose_event_never_came_is_swept_away() -> None:
    log = FailingLog()
    ledger = new_ledger(log)
    anna = with_anna(ledger)
    ledger.execute(said(anna), "c1")
    log.failing = "before"
    with pytest.raises(LogUnavailable):
        ledger.execute(said(anna, "Another word."), "c2")
    assert swept(ledger) == 1
    assert swept(ledger) == 0
    (commitment,) = commitments(log).values()
    assert ledger.vault.private_part("c1/1", commitment) == {"comment": WORDS}


def test_what_is_kept_twice_for_one_event_is_swept_but_for_the_one_it_commits_to() -> None:
    ledger = new_ledger(ContestedLog())
    anna = with_anna(ledger)
    assert isinstance(ledger.log, ContestedLog)
    ledger.log.times = 2
    ledger.execute(said(anna), "c1")
    assert ledger.execute(said(anna, "Sent again with other words."), "c1").again
    assert swept(ledger) == 3
    (commitment,) = commitments(ledger.log).values()
    assert ledger.vault.private_part("c1/1", commitment) == {"comment": WORDS}


def test_a_refused_command_leaves_nothing_in_the_vault_that_is_not_swept_away() -> None:
    log, vault = WatchedLog(), Vault(None, MASTER_KEY)
    ledger, other = new_ledger(log, vault), new_ledger(log, vault)
    anna = with_anna(ledger)
    ledger.execute(said(anna))
    carry_out(other, CloseQuestion(question="q"))
    with pytest.raises(Refused):  # found out by the log alone, when the part had been kept
        ledger.execute(said(anna))
    assert swept(ledger) == 1
    with pytest.raises(Refused):
        ledger.execute(said(anna))
    assert swept(ledger) == 0


def test_the_part_is_bound_to_the_event_that_it_became_a_part_of() -> None:
    """A first choice that turns out to be a change, since another process was faster."""
    log, vault = WatchedLog(), Vault(None, MASTER_KEY)
    ledger, other = new_ledger(log, vault), new_ledger(log, vault)
    anna = with_anna(ledger)
    kept: list[PrivatePart] = []
    keep = vault.keep

    def another_is_faster(_: Sequence[Append]) -> None:
        log.watch = lambda appends: None
        other.execute(said(anna, "From the telephone."), "c0")

    log.watch = another_is_faster
    vault.keep = lambda parts: (kept.extend(parts), keep(parts))[1]  # type: ignore[method-assign]
    ledger.execute(said(anna), "c1")
    types = [record.type for record in log.select(EVERYTHING)][-2:]
    assert types == ["civic.choice.made.v1", "civic.choice.changed.v1"]
    assert kept[-1].event_type == types[-1]
    private = commitments(log)
    assert vault.private_part("c1/1", private["c1/1"]) == {"comment": WORDS}
    assert vault.private_part("c0/1", private["c0/1"]) == {"comment": "From the telephone."}
