"""The one way into the ledger: commands, in batches, with ids that make them safe to repeat."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from random import SystemRandom
from typing import TypeVar

from ledger.domain.deciding import CitizenCommand, Command, Secrets
from ledger.domain.refusals import Refused
from ledger.recording import Accepted, Ledger
from projections.queries import Queries

T = TypeVar("T")

BATCH = 2_000
"""Commands in one commit. More write fewer pages twice; with fewer, others wait less to write."""

Show = Callable[[int, int], object]
"""Called with how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Run:
    """What an import works with.

    `progress` opens a bar for so many of a unit; `caught_up` brings the read models up to date and
    has done what follows from them: areas with enough people become ones that choices may name.
    """

    ledger: Ledger
    queries: Queries
    progress: Callable[[str, str], AbstractContextManager[Show]]
    caught_up: Callable[[], None]


def carried_out(
    ledger: Ledger, commands: Iterable[tuple[T, str, Command]]
) -> Iterator[tuple[T, Accepted | Refused]]:
    """Carry out commands in order, a batch at a time. Each comes with what it stands for, and a key:
    with the same key, the same command is carried out once, whenever it is sent.

    What rests on an earlier command of the batch is decided again, by itself, which is right but
    slow: put commands that rest on each other into calls of their own.
    """
    remaining = iter(commands)
    while batch := list(islice(remaining, BATCH)):
        secrets = ledger.vault.holding(
            command.citizen for _, _, command in batch if isinstance(command, CitizenCommand)
        )
        given = [(_id(secrets, key, command), command) for _, key, command in batch]
        outcomes = ledger.execute_all(given)
        yield from zip((subject for subject, _, _ in batch), outcomes, strict=True)


def _id(secrets: Secrets, key: str, command: Command) -> str:
    """An id that is the same each time. It becomes public: without a citizen's own key, nobody can
    tell from the id of their command whose it is, or that two are one person's."""
    scope = f"import/{command.verb}/{key}"
    if isinstance(command, CitizenCommand):
        return secrets.pseudonym(command.citizen, scope)
    return sha256(scope.encode()).hexdigest()[:32]


def shuffled(rows: Iterable[T]) -> list[T]:
    """The rows in random order. Files have people in the same order everywhere, or all votes of one
    in a row: entries that follow each other so would tell which are one person's (design, section 7)."""
    mixed = list(rows)
    SystemRandom().shuffle(mixed)
    return mixed


def shown(outcomes: Iterable[T], show: Show, of: int) -> Iterator[T]:
    """The outcomes as they come, telling a progress bar of every hundredth."""
    done = 0
    for done, outcome in enumerate(outcomes, 1):
        if done % 100 == 0:
            show(done, of)
        yield outcome
    show(done, of)
