"""Ledgers to try: a log and a vault in memory, a clock that the test sets, and logs that fail as told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ledger.codec import decode
from ledger.domain.deciding import Command
from ledger.domain.event import Event
from ledger.domain.refusals import Refused
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import (
    EVERYTHING,
    Append,
    Appended,
    Conflict,
    EventLog,
    Guard,
    LogUnavailable,
    Selection,
)
from ledger.recording import Accepted, Ledger
from ledger.vault.vault import Vault

MASTER_KEY = bytes(range(32))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def new_ledger(
    log: EventLog | None = None,
    vault: Vault | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Ledger:
    log = MemoryLog() if log is None else log
    vault = Vault(None, MASTER_KEY) if vault is None else vault
    return Ledger(log, vault, "ledger.example/x", clock or Clock())


def carry_out(ledger: Ledger, *commands: Command) -> None:
    for command in commands:
        ledger.execute(command)


def attempt(ledger: Ledger, command: Command, command_id: str | None = None) -> Accepted | Refused:
    try:
        return ledger.execute(command, command_id)
    except Refused as refusal:
        return refusal


def events(log: EventLog) -> list[Event]:
    return [decode(record.entry).event for record in log.select(EVERYTHING)]


class ContestedLog(MemoryLog):
    """Answers the next `times` appends with a conflict."""

    def __init__(self, times: int = 0) -> None:
        super().__init__()
        self.times = times

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        if self.times == 0:
            return super().append_batch(appends)
        self.times -= 1
        return [Conflict(Guard(Selection(), 0)) for _ in appends]


class FailingLog(MemoryLog):
    """Fails at each append while `failing`: before it is stored, or after (then only the answer is lost)."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: str | None = None

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        if self.failing == "before":
            raise LogUnavailable("the disk is gone")
        answer = super().append_batch(appends)
        if self.failing == "after":
            raise LogUnavailable("the disk is gone")
        return answer


class WatchedLog(MemoryLog):
    """Calls `watch` with the appends of a batch right before they are stored."""

    watch: Callable[[Sequence[Append]], None] = staticmethod(lambda appends: None)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        self.watch(appends)
        return super().append_batch(appends)
