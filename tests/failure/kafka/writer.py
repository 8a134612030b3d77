"""A process that writes to a log on Kafka: `python -m tests.failure.kafka.writer ADDRESS FOLDER NAME PATIENCE [FAULT]`.

It waits until it is its turn to write ("leads"); then four threads ask one thing after the other, and it prints what
each was told: "acknowledged ID POSITION", "refused ID" or "told ID SECONDS MESSAGE"; in the last case the same is
asked again. On its standard input it takes "ask ID", "rest" (the threads stop asking), and its end. Its replica is
NAME.sqlite, or what follows a colon in NAME.

FAULT is a signal and a point of `POINTS`: after the line "fail", the process sends the signal to itself there, once.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from kafka.producer.transaction_manager import TransactionManager

from ledger.domain.refusals import Refused
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka.producer import Producer
from ledger.eventlog.kafka.writing import Epoch
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import LogUnavailable
from ledger.recording import Ledger
from tests.failure.kafka.asking import THREADS, Asked, ledger_on

PAUSE = 0.01

_saying = threading.Lock()


def say(*words: object) -> None:
    with _saying:
        sys.stdout.write(" ".join(map(str, words)).replace("\n", " ") + "\n")
        sys.stdout.flush()


class Fault:
    """Happens once, after it was armed, when the program comes to a point."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        self.armed = threading.Event()
        self.believes: Callable[[], bool] = bool
        """Whether the process thinks that it is elected."""

    def __call__(self) -> None:
        if self.armed.is_set():
            self.armed.clear()
            say("sends", self._number.name)
            os.kill(os.getpid(), self._number)
            time.sleep(0.1)  # the signal may take a moment, in which nothing must go on
            say("goes on", self.believes())


def before_sending(fault: Fault) -> None:
    _around(Epoch, "write", before=fault)


def before_committing(fault: Fault) -> None:
    _around(Producer, "commit_within", before=fault)


def when_committing(fault: Fault) -> None:
    """In the thread that goes on with sending the request."""
    original = TransactionManager.next_in_flight_request_correlation_id

    def about_to_ask(manager: Any) -> Any:
        if manager.is_completing():
            fault()
        return original(manager)

    TransactionManager.next_in_flight_request_correlation_id = about_to_ask


def before_answering(fault: Fault) -> None:
    _around(Producer, "commit_within", after=fault)


POINTS = {
    one.__name__: one
    for one in (before_sending, before_committing, when_committing, before_answering)
}


def _nothing() -> None:
    """Happens where nothing else does."""


def _around(
    owner: type,
    name: str,
    *,
    before: Callable[[], None] = _nothing,
    after: Callable[[], None] = _nothing,
) -> None:
    original = getattr(owner, name)

    def around(*arguments: Any) -> Any:
        before()
        result = original(*arguments)
        after()
        return result

    setattr(owner, name, around)


def ask(ledger: Ledger, asked: Asked) -> None:
    command = asked.command(ledger.vault)
    while True:
        started = time.monotonic()
        try:
            accepted = ledger.execute(command, asked.id)
        except Refused:
            say("refused", asked.id)
        except LogUnavailable as error:
            say("told", asked.id, f"{time.monotonic() - started:.2f}", error)
            time.sleep(0.2)
            continue
        else:
            say("acknowledged", asked.id, accepted.position)
        return


def keep_asking(ledger: Ledger, name: str, thread: int, rest: threading.Event) -> None:
    for n in count():
        if rest.wait(PAUSE):
            return
        asked = Asked(name, thread, n)
        say("asks", asked.id)
        ask(ledger, asked)


def main(address: str, folder: str, name: str, patience: str, fault: str = "") -> None:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name} %(message)s")
    number, _, point = fault.partition("@")
    failing = Fault(signal.Signals[number or "SIGCONT"])
    if point:
        POINTS[point](failing)
    name, _, replica = name.partition(":")
    path = Path(folder) / f"{replica or name}.sqlite"
    log = KafkaLog(Address.parsed(address), path, patience=float(patience))
    failing.believes = lambda: log._leader._candidacy.elected
    log.election_patience = 1.0  # as a server has it
    ledger = ledger_on(log, path.parent)
    rest = threading.Event()
    say("open", log.head())
    threading.Thread(target=write, args=(log, ledger, name, rest), daemon=True).start()
    for line in sys.stdin:
        order, _, id_ = line.strip().partition(" ")
        if order == "ask":
            threading.Thread(target=ask, args=(ledger, Asked.parsed(id_)), daemon=True).start()
        elif order == "fail":
            failing.armed.set()
        elif order == "rest":
            rest.set()
    rest.set()
    ledger.close()
    log.close()
    say("closed", log.intruders)


def write(log: KafkaLog, ledger: Ledger, name: str, rest: threading.Event) -> None:
    while not log.claim(0.5):
        if rest.is_set():
            return
    say("leads")
    for thread in range(THREADS):
        threading.Thread(target=keep_asking, args=(ledger, name, thread, rest), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
