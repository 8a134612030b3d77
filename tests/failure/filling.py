"""A process whose files may not grow beyond a size: `python -m tests.failure.filling PATH BYTES`.

It appends until the log says that it cannot, prints what was acknowledged, lets files grow again,
and appends once more with the ids that were not.
"""

import resource
import sys
from pathlib import Path

from ledger.eventlog.port import Append, LogUnavailable, NewEvent
from ledger.eventlog.sqlite import SQLiteLog


def event(n: int) -> NewEvent:
    return NewEvent("thing", f"{n} ".encode() * 500, (f"t{n}",), f"{n}/1")


def main(path: str, size: str) -> None:
    log = SQLiteLog(Path(path))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), unlimited[1]))
    n = 0
    try:
        while True:
            log.submit(Append((event(n),))).result()
            print(n, flush=True)
            n += 1
    except LogUnavailable as error:
        print("unavailable:", error, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    for one in (n, n + 1):
        print(one, log.submit(Append((event(one),))).result().again, flush=True)
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
