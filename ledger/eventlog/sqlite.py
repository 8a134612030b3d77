"""The log in one SQLite file: the embedded default.

The file's write lock is the sequencer, so any number of processes may share a log. Every commit is on disk
(`synchronous=FULL`) before anybody is answered; the appends of concurrent callers share one commit.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from eventsourcing.dcb.api import DCBRecorder
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import InfrastructureFactoryError, TrackingRecorder
from eventsourcing.utils import Environment, EnvType

from ledger.eventlog.port import Append, Appended, Conflict, EventLog, wait_by_polling
from ledger.eventlog.sequencer import Sequencer
from ledger.eventlog.sqlite_batch import Batch
from ledger.eventlog.sqlite_records import SQLiteRecords


class SQLiteLog(SQLiteRecords, EventLog):
    """A log in the file at `path`, which is made if need be. Raises `DamagedLog` for a file of another kind."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._changed = threading.Condition()
        self._sequencer: Sequencer[Append, Appended] = Sequencer(self.append_batch, str(path))

    def submit(self, append: Append) -> "Future[Appended]":
        return self._sequencer.submit(append)

    def submit_from_loop(self, append: Append) -> "asyncio.Future[Appended]":
        return self._sequencer.submit_from_loop(append)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        with self.transaction() as writer:
            outcomes = Batch(writer).store(appends)
        with self._changed:
            self._changed.notify_all()
        return outcomes

    def wait(self, after: int, timeout: float) -> bool:
        with self._changed:
            return wait_by_polling(self.head, after, timeout, self._changed.wait)

    def close(self) -> None:
        self._sequencer.close()
        super().close()


class SQLiteFactory(DCBInfrastructureFactory[TrackingRecorder]):
    """Lets any `DCBApplication` of eventsourcing use this log: `PERSISTENCE_MODULE=ledger.eventlog.sqlite`,
    with the file's path in `SQLITE_DBNAME`."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        path = self.env.get("SQLITE_DBNAME")
        if not path or path.startswith((":", "file:")):
            raise InfrastructureFactoryError(
                "set SQLITE_DBNAME to the path of a file (for a log in memory there is eventsourcing.dcb.popo)"
            )
        self._path = Path(path)
        self._logs: list[SQLiteLog] = []

    def dcb_recorder(self) -> DCBRecorder:
        log = SQLiteLog(self._path)
        self._logs.append(log)
        return log

    def close(self) -> None:
        for log in self._logs:
            log.close()
