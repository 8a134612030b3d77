"""Several processes on one SQLite log: its write lock is their sequencer."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.codec import decode
from ledger.domain.choices import Answer, ChoiceChanged, ChoiceMade
from ledger.domain.roll import RegisterCitizen
from ledger.eventlog.port import EVERYTHING
from ledger.eventlog.sqlite import SQLiteLog
from ledger.recording import Ledger
from ledger.vault.vault import Vault
from tests.failure.contending import CHOICES, ROUNDS
from tests.failure.processes import all_at_once, started
from tests.unit.asking import question
from tests.unit.domain import COUNTRY, DISTRICT, TOWN
from tests.unit.ledgers import MASTER_KEY, carry_out

PROCESSES = 3


def contend(folder: Path, way: str) -> list[list[str]]:
    with ExitStack() as stack:
        return all_at_once(
            [
                stack.enter_context(started("contending", folder, way, f"p{n}"))
                for n in range(PROCESSES)
            ]
        )


def test_of_several_processes_on_one_boundary_exactly_one_wins(tmp_path: Path) -> None:
    won = [n for said in contend(tmp_path, "log") for n in said]
    assert sorted(map(int, won)) == list(range(ROUNDS))
    log = SQLiteLog(tmp_path / "log.sqlite")
    log.verify()
    tags = [tag for record in log.select(EVERYTHING) for tag in record.tags]
    assert sorted(tags) == sorted(f"x{n}" for n in range(ROUNDS))
    log.close()


def test_one_citizens_choice_changed_by_several_processes_stays_one_choice(tmp_path: Path) -> None:
    log = SQLiteLog(tmp_path / "log.sqlite")
    ledger = Ledger(log, Vault(tmp_path / "vault.sqlite", MASTER_KEY), "ledger.example/x")
    anna = ledger.vault.enrol("anna")
    home = RegisterCitizen(citizen=anna, home="aa/bb/cc")
    carry_out(ledger, COUNTRY, TOWN, DISTRICT, home, question())
    before = log.head()
    assert [len(said) for said in contend(tmp_path, "ledger")] == [CHOICES] * PROCESSES
    events = [decode(record.entry).event for record in log.select(EVERYTHING, after=before)]
    assert len(events) == CHOICES * PROCESSES
    standing: Answer | None = None
    for event in events:
        assert isinstance(event, ChoiceChanged if standing else ChoiceMade)
        if isinstance(event, ChoiceChanged):
            assert event.previous == standing
        standing = event.answer
    ledger.close()
    log.close()


@pytest.mark.parametrize("times", [20])
def test_a_reader_sees_another_processs_events_within_a_tenth_of_a_second(
    tmp_path: Path, times: int
) -> None:
    log = SQLiteLog(tmp_path / "log.sqlite")
    late = []
    with started("ticking", tmp_path / "log.sqlite", times):
        for n in range(times):
            assert log.wait(n, timeout=10)
            (record,) = log.select(EVERYTHING, after=n, limit=1)
            late.append((time.time_ns() - int(record.entry)) / 1e9)
    log.close()
    assert sorted(late)[times * 9 // 10] < 0.1, (
        late
    )  # a busy machine may pause one of the processes
