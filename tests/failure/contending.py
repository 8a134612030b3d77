"""A process that contends with others: `python -m tests.failure.contending FOLDER WAY NAME`.

It waits for a line on its standard input, so that all begin together. WAY: `log` (it tries to be the
first to append something with each of the tags x0, x1 …, and prints those that it won) or `ledger`
(it changes one citizen's choice again and again).
"""

import sys
from pathlib import Path

from ledger.domain.choices import MakeChoice
from ledger.eventlog.port import Append, Appended, Guard, NewEvent, Selection
from ledger.eventlog.sqlite import SQLiteLog
from ledger.recording import Ledger
from ledger.vault.vault import Vault
from tests.unit.ledgers import MASTER_KEY

ROUNDS = 150
CHOICES = 40


def contend_for_tags(log: SQLiteLog, name: str) -> None:
    for n in range(ROUNDS):
        event = NewEvent("thing", name.encode(), (f"x{n}",), f"{name}-{n}/1")
        guard = Guard(Selection(("thing",), (f"x{n}",)), 0)
        (answer,) = log.append_batch([Append((event,), (guard,))])
        if isinstance(answer, Appended):
            print(n, flush=True)


def change_a_choice(ledger: Ledger) -> None:
    citizen = ledger.vault.enrol("anna")
    for n in range(CHOICES):
        ledger.execute(MakeChoice(citizen=citizen, question="q", marks={"abc"[n % 3]: 1}))
        print(n, flush=True)


def main(folder: str, way: str, name: str) -> None:
    log = SQLiteLog(Path(folder) / "log.sqlite")
    vault = Vault(Path(folder) / "vault.sqlite", MASTER_KEY)
    print("ready", flush=True)
    sys.stdin.readline()
    if way == "log":
        contend_for_tags(log, name)
    else:
        change_a_choice(Ledger(log, vault, "ledger.example/x"))


if __name__ == "__main__":
    main(*sys.argv[1:])
