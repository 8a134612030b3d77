"""A process that appends to a log until it is killed: `python -m tests.failure.appending PATH WAY NAME`.

It prints the id and the position of each append once the log has answered, so that what it printed
is what was acknowledged. WAY: `single` (eight threads, an event each) or `batches` (of one to seven
appends with one to three events each).
"""

import random
import sys
import threading
from itertools import count
from pathlib import Path

from ledger.eventlog.port import Append, Appended, NewEvent
from ledger.eventlog.sqlite import SQLiteLog

THREADS = 8


def event(id_: str) -> NewEvent:
    return NewEvent("thing", f"{id_} ".encode() * 20, ("x", f"of:{id_}"), id_)


def acknowledge(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def append_single(log: SQLiteLog, name: str) -> None:
    for n in count():
        id_ = f"{name}-{n}"
        appended = log.submit(Append((event(f"{id_}/1"),))).result()
        acknowledge(f"{id_}/1 {appended.position}")


def append_batches(log: SQLiteLog, name: str) -> None:
    chance = random.Random(name)
    for n in count():
        sizes = [chance.randint(1, 3) for _ in range(chance.randint(1, 7))]
        appends = [
            Append(tuple(event(f"{name}-{n}-{m}-{size}/{k}") for k in range(1, size + 1)))
            for m, size in enumerate(sizes)
        ]
        lines = []
        for append, answer in zip(appends, log.append_batch(appends), strict=True):
            assert isinstance(answer, Appended)
            first = answer.position - len(append.events) + 1
            lines += [f"{one.id} {first + k}" for k, one in enumerate(append.events)]
        acknowledge(*lines)


def main(path: str, way: str, name: str) -> None:
    log = SQLiteLog(Path(path))
    if way == "batches":
        append_batches(log, name)
    for thread in range(THREADS):
        threading.Thread(target=append_single, args=(log, f"{name}-{thread}"), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
