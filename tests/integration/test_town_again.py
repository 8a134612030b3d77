"""The sample town, when its building was interrupted."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ledger.domain.deciding import Command
from ledger.domain.refusals import Refused
from ledger.eventlog.port import EVERYTHING
from ledger.recording import Accepted, Ledger
from services.assembly import System, assembled
from services.settings import Settings
from services.town import build

MEMORY = Settings(log="memory:", store="memory:", vault="memory:")


def types_of(system: System) -> Counter[str]:
    return Counter(record.type for record in system.log.select(EVERYTHING))


def test_a_town_that_was_left_half_built_is_finished_a_month_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with assembled(MEMORY) as system:
        build(system)
        whole = types_of(system)
    with assembled(MEMORY) as system:
        with monkeypatch.context() as crash:
            crash.setattr(Ledger, "execute_all", until_power_cut(12))
            with pytest.raises(PowerCut):
                build(system)
        assert 0 < system.log.head() < whole.total() / 2
        build(system, now=datetime.now(UTC) + timedelta(days=30))
        assert types_of(system) == whole


class PowerCut(Exception):
    pass


def until_power_cut(batches: int) -> Callable[..., list[Accepted | Refused]]:
    left = iter(range(batches))
    execute_all = Ledger.execute_all

    def execute(
        ledger: Ledger, commands: Sequence[tuple[str, Command]]
    ) -> list[Accepted | Refused]:
        if next(left, None) is None:
            raise PowerCut
        return execute_all(ledger, commands)

    return execute
