"""What the benchmarks choose about: a city with a roll and a budget of eighty projects, in a folder of its own."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.domain.areas import DefineArea
from ledger.domain.choices import MakeChoice
from ledger.domain.deciding import Command
from ledger.domain.methods import Approval
from ledger.domain.questions import OpenQuestion, Option
from ledger.domain.refusals import Refused
from ledger.domain.roll import RegisterCitizen
from ledger.recording import new_id
from services.assembly import System, assembled
from services.importers.run import BATCH
from services.settings import Settings

AREAS = ("pl", "pl/city", *(f"pl/city/d{n}" for n in range(10)))
PROJECTS = 80


@contextmanager
def system() -> Iterator[System]:
    """A system on SQLite files in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="civic-bench-"))
    try:
        with assembled(settings(folder)) as parts:
            yield parts
    finally:
        shutil.rmtree(folder)


def settings(folder: Path) -> Settings:
    return Settings(
        log=f"sqlite:///{folder}/log.sqlite",
        store=f"sqlite:///{folder}/store.sqlite",
        vault=f"sqlite:///{folder}/vault.sqlite",
    )


def city(parts: System, citizens: int) -> list[str]:
    """Areas and a roll. The citizen ids."""
    for area in AREAS:
        parts.ledger.execute(DefineArea(area=area, name=area))
    ids = list(parts.vault.enrol_all([f"bench/{n}" for n in range(citizens)]).values())
    homes = AREAS[2:]
    carried_out(
        parts,
        [RegisterCitizen(citizen=one, home=homes[n % len(homes)]) for n, one in enumerate(ids)],
    )
    parts.worker.catch_up()
    parts.steward.attend()
    return ids


def budget(parts: System, question: str) -> None:
    """Open a question of eighty projects, five of which may be approved."""
    options = tuple(
        Option(
            id=str(n),
            title=f"Project {n}: greener streets and safer ways to school",
            cost=10_000 * n,
        )
        for n in range(1, PROJECTS + 1)
    )
    method = Approval(maximum=5)
    parts.ledger.execute(
        OpenQuestion(
            question=question, title="Budget", area="pl/city", method=method, options=options
        )
    )


def choice(citizen: str, question: str, chance: random.Random) -> MakeChoice:
    marks = {str(n): 1 for n in chance.sample(range(1, PROJECTS + 1), 5)}
    return MakeChoice(citizen=citizen, question=question, marks=marks)


def carried_out(parts: System, commands: list[Command]) -> None:
    """Carry out commands in batches, as an import does; none may be refused."""
    for start in range(0, len(commands), BATCH):
        batch = [(new_id(), one) for one in commands[start : start + BATCH]]
        refused = [one for one in parts.ledger.execute_all(batch) if isinstance(one, Refused)]
        assert not refused, refused[0].detail
