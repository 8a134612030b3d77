"""What is asked of the ledgers of these tests: choices of made-up citizens in one question."""

from pathlib import Path
from typing import NamedTuple

from ledger.domain.choices import MakeChoice
from ledger.domain.deciding import Command
from ledger.domain.refusals import Refused
from ledger.domain.roll import RegisterCitizen
from ledger.eventlog.port import EventLog
from ledger.recording import Ledger
from ledger.vault.vault import Vault
from tests.unit.asking import question
from tests.unit.domain import COUNTRY, DISTRICT, TOWN
from tests.unit.ledgers import MASTER_KEY

NAMES = ("a", "b", "c")
"""Of the processes that may ask."""

THREADS = 4
"""Each with a citizen of its own, who changes their mind again and again."""


class Asked(NamedTuple):
    """The nth command of a thread of a process. Each fourth one must be refused."""

    name: str
    thread: int
    n: int

    @property
    def id(self) -> str:
        return f"{self.name}-{self.thread}-{self.n}"

    @property
    def legal(self) -> bool:
        return self.n % 4 != 3

    def command(self, vault: Vault) -> Command:
        mark = "abc"[self.n % 3] if self.legal else "no such option"
        return MakeChoice(
            citizen=citizen(vault, self.name, self.thread), question="q", marks={mark: 1}
        )

    @classmethod
    def parsed(cls, id_: str) -> "Asked":
        name, thread, n = id_.split("-")
        return cls(name, int(thread), int(n))


def citizen(vault: Vault, name: str, thread: int) -> str:
    return vault.enrol(f"{name}/{thread}")


def vault_in(folder: Path) -> Vault:
    return Vault(folder / "vault.sqlite", MASTER_KEY)


def ledger_on(log: EventLog, folder: Path) -> Ledger:
    return Ledger(log, vault_in(folder), "ledger.example/x")


def prepare(ledger: Ledger) -> None:
    """The question, and all who may be asked."""
    roll = [
        RegisterCitizen(citizen=citizen(ledger.vault, name, thread), home="aa/bb/cc")
        for name in NAMES
        for thread in range(THREADS)
    ]
    commands: list[Command] = [COUNTRY, TOWN, DISTRICT, *roll, question()]
    given = [(f"prepared-{n}", command) for n, command in enumerate(commands)]
    assert not any(isinstance(one, Refused) for one in ledger.execute_all(given))
