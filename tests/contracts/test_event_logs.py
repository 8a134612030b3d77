"""The contract of the event log, on every recorder there is."""

from pathlib import Path

import pytest

from ledger.eventlog import sqlite_batch, sqlite_keys, sqlite_reading, sqlite_statements
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


class TestSQLiteLogWhereNumbersSayNothing(TestSQLiteLog):
    """Tags and types stand in the index as numbers: here, all types have the same, and all tags too or not."""

    @pytest.fixture(autouse=True, params=[("type_key",), ("type_key", "tag_key")], ids="+".join)
    def _same_numbers(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (sqlite_batch, sqlite_keys, sqlite_reading, sqlite_statements):
            for name in request.param:
                monkeypatch.setattr(module, name, lambda _: -7)
