"""A process whose children fold and are killed: `python -m tests.failure.killing LOG STORE WORK KILLS SEED`.

LOG is a path, STORE a URL, WORK `project` or `rebuild`. Each child begins anew and is killed (SIGKILL) at some
moment: most after a first batch is written, some while they open the store. It prints how many died so.
"""

import os
import random
import signal
import sys
import time

from projections.area import AreaProjection
from projections.catalogue import all_projections
from projections.replay import rebuilt
from projections.worker import Worker
from services.assembly import log_and_store
from services.settings import Settings

BATCH = 4
"""Events: so few that most moments are near the beginning or the end of a transaction."""

LONGEST = {"sqlite": 0.025, "postgresql": 0.08}
"""Seconds that a child may work, by kind of store: about as long as some ten transactions take."""


def main(log: str, store: str, work: str, kills: str, seed: str) -> None:
    chance, killed = random.Random(int(seed)), 0
    longest = LONGEST[store.partition(":")[0]]
    for _ in range(int(kills)):
        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            _work(Settings(log=f"sqlite:///{log}", store=store), work, tell)
            os._exit(0)
        os.close(tell)
        if chance.random() < 0.8:
            os.read(ready, 1)
        time.sleep(chance.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        os.close(ready)
    print(killed, flush=True)


def _work(settings: Settings, work: str, tell: int) -> None:
    shown = 0

    def show(_: int, __: int) -> None:
        nonlocal shown
        shown += 1
        if shown == 2:  # the first time, nothing is folded yet
            os.write(tell, b".")

    with log_and_store(settings) as (log, store):
        if work == "rebuild":
            rebuilt(log, store, AreaProjection(), show, batch=BATCH)
        else:
            Worker(log, store, all_projections(), batch=BATCH).catch_up(show)


if __name__ == "__main__":
    main(*sys.argv[1:])
