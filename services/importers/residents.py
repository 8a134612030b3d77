"""Puts people onto the roll, or further down where their home is known better now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import MoveCitizen, RegisterCitizen, citizen
from ledger.recording import Accepted
from services.importers.run import Run, carried_out
from services.importers.texts import details

ENROLLED = 10_000
"""People who are enrolled in the vault in one commit."""


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody as a file has them. `details` are personal and only ever go into the vault."""

    identity: str
    home: str
    details: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Somebody on the roll, by citizen id; or why they could not be put where the file has them."""

    resident: Resident
    citizen: str
    new: bool
    problem: str | None = None


def settled(run: Run, residents: Iterable[Resident]) -> Iterator[Settled]:
    """Enrol and register people, in order; no identity may come twice.

    Who is registered already stays there, or moves down to the home given if that lies inside the
    one they have. Elsewhere they are left as they are, and that is their `problem`.
    """
    remaining = iter(residents)
    while batch := list(islice(remaining, ENROLLED)):
        citizens = run.ledger.vault.enrol_all(one.identity for one in batch)
        commands = ((one, "", _registration(one, citizens[one.identity])) for one in batch)
        registered = list(carried_out(run.ledger, commands))
        moves = dict(_moves(run, registered, citizens))
        for one, outcome in registered:
            new = isinstance(outcome, Accepted) and not outcome.again
            found = moves.get(one.identity, outcome)
            problem = found.detail if isinstance(found, Refused) else None
            yield Settled(one, citizens[one.identity], new, problem)


def _registration(one: Resident, citizen_id: str) -> RegisterCitizen:
    personal = details(one.details) if one.details else None
    return RegisterCitizen(citizen=citizen_id, home=one.home, details=personal)


def _moves(
    run: Run, registered: Iterable[tuple[Resident, Accepted | Refused]], citizens: Mapping[str, str]
) -> Iterator[tuple[str, Accepted | Refused]]:
    """What became, by identity, of those who had been registered before."""
    commands = []
    for one, outcome in registered:
        if isinstance(outcome, Refused):
            if outcome.reason is not Reason.ALREADY_REGISTERED:
                continue
        elif not outcome.again:
            continue
        citizen_id = citizens[one.identity]
        home = run.ledger.facts().about(citizen(citizen_id)).home
        if home is None or (home + "/").startswith(one.home + "/"):
            yield one.identity, Accepted(0, again=True)  # they have left since, or are known better
        elif one.home.startswith(home + "/"):
            move = MoveCitizen(citizen=citizen_id, home=one.home)
            commands.append((one.identity, f"{home} {one.home}", move))
        else:
            problem = f"This person is registered in {home!r}, which is not above {one.home!r}."
            yield one.identity, Refused(Reason.ALREADY_REGISTERED, problem)
    yield from carried_out(run.ledger, commands)
