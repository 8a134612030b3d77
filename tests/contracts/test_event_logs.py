"""The contract of the event log, on every recorder there is."""

from pathlib import Path

from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EventLog
from ledger.eventlog.sqlite import SQLiteLog
from tests.contracts.event_log import DurableLogContract, EventLogContract


class TestMemoryLog(EventLogContract):
    def open_log(self, folder: Path) -> EventLog:
        return MemoryLog()


class TestSQLiteLog(EventLogContract, DurableLogContract):
    def open_log(self, folder: Path) -> EventLog:
        return SQLiteLog(folder / "log.sqlite")
