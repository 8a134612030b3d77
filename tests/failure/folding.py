"""A process that folds a log into a store: `python -m tests.failure.folding LOG STORE BATCH`.

It prints the position that it has reached after each batch.
"""

import sys
from pathlib import Path

from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker


def main(log: str, store: str, batch: str) -> None:
    worker = Worker(
        SQLiteLog(Path(log)), SQLiteStore(Path(store)), all_projections(), batch=int(batch)
    )
    print("ready", flush=True)
    if sys.stdin.readline():
        while worker.step():
            print(min(worker.positions.values()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
