"""A process that appends the time at which it does so: `python -m tests.failure.ticking PATH TIMES`."""

import sys
import time
from pathlib import Path

from ledger.eventlog.port import Append, NewEvent
from ledger.eventlog.sqlite import SQLiteLog


def main(path: str, times: str) -> None:
    log = SQLiteLog(Path(path))
    for _ in range(int(times)):
        log.append_batch([Append((NewEvent("tick", str(time.time_ns()).encode(), ()),))])
        time.sleep(0.07)


if __name__ == "__main__":
    main(*sys.argv[1:])
