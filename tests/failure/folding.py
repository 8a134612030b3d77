"""A process that folds a log into a store: `python -m tests.failure.folding LOG STORE BATCH`.

LOG is a path, STORE a URL. It prints the position that it has reached after each batch.
"""

import sys

from projections.catalogue import all_projections
from projections.worker import Worker
from services.assembly import log_and_store
from services.settings import Settings


def main(log: str, store: str, batch: str) -> None:
    with log_and_store(Settings(log=f"sqlite:///{log}", store=store)) as parts:
        worker = Worker(*parts, all_projections(), batch=int(batch))
        print("ready", flush=True)
        if sys.stdin.readline():
            while worker.step():
                print(worker.reached(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
