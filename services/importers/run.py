"""The one way of all imports into the ledger: commands, in batches, with ids that make them safe to repeat."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import TypeVar

from ledger.domain.deciding import Command
from ledger.domain.refusals import Refused
from ledger.recording import Accepted, Ledger
from ledger.vault.vault import Vault
from projections.queries import Queries

T = TypeVar("T")

BATCH = 1_000
"""Commands in one commit."""

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


def public_id(*key: str) -> str:
    """The id of a command about no person: the same key gives the same id, on every machine."""
    return sha256("\n".join(("import", *key)).encode()).hexdigest()[:32]


def personal_id(vault: Vault, citizen: str, *key: str) -> str:
    """The id of a citizen's command, which becomes public: nobody without their key can tell whose it is."""
    return vault.pseudonym(citizen, "\n".join(("import", *key)))


def carried_out(
    ledger: Ledger, commands: Iterable[tuple[T, str, Command]]
) -> Iterator[tuple[T, Accepted | Refused]]:
    """Carry out commands in order, a batch at a time; each comes with what it stands for, and its id.

    The commands of one batch are decided before any of them is stored: what rests on an earlier one
    is decided again by itself, which is right but slow, so put such commands into calls of their own.
    """
    remaining = iter(commands)
    while batch := list(islice(remaining, BATCH)):
        outcomes = ledger.execute_all([(command_id, command) for _, command_id, command in batch])
        yield from zip((subject for subject, _, _ in batch), outcomes, strict=True)


def shown(outcomes: Iterable[T], show: Show, of: int) -> Iterator[T]:
    """The outcomes as they come, telling a progress bar of every hundredth."""
    done = 0
    for done, outcome in enumerate(outcomes, 1):
        if done % 100 == 0:
            show(done, of)
        yield outcome
    show(done, of)
