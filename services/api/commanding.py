"""Commands: who asks for what in whose name, carried out once."""

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ledger.domain.deciding import Command, Occasion
from ledger.domain.event import instant
from ledger.domain.roll import RegisterCitizen
from ledger.recording import Accepted
from ledger.vault.vault import Principal
from services.api.access import ACTS_AS
from services.api.bodies import CITIZEN, IDENTITY, MAX_IDENTITY, checked, invalid
from services.api.idempotency import check_same, command_id
from services.assembly import System
from services.errors import Fault, RequestFault, Wrong

_NOBODY = "0" * 32


class CarriedOut(NamedTuple):
    """A command's last event stands at `position`; `again`: it had been carried out before."""

    position: int
    again: bool
    command_id: str


async def carry_out(
    system: System,
    principal: Principal,
    kind: type[Command],
    content: dict[str, Any],
    key: str | None,
) -> CarriedOut:
    """Carry out the command with the content of a body, in the name of the principal.

    Raises `RequestFault`, `Refused`, and what else `services.errors` knows.
    """
    command = await _in_a_name(system, principal, kind, content)
    citizen: str | None = getattr(command, CITIZEN, None)
    id_ = command_id(system, principal, kind.verb, citizen, key)
    accepted: Accepted = await system.ledger.submit(command, id_)
    if accepted.again:
        check_same(system, command, accepted.position)
    return CarriedOut(accepted.position, accepted.again, id_)


async def _in_a_name(
    system: System, principal: Principal, kind: type[Command], content: dict[str, Any]
) -> Command:
    """The command, with the names that follow from the token or, from the operator, from the body."""
    if principal.role == "organisation":
        for field in ACTS_AS["organisation"]:
            if (
                field in kind.model_fields
                and content.setdefault(field, principal.subject) != principal.subject
            ):
                raise RequestFault(
                    Fault.NOT_ALLOWED, f"This token acts for {principal.subject!r} only.", field
                )
    if CITIZEN not in kind.model_fields:
        return checked(kind, content)
    if CITIZEN in content:
        raise invalid(Wrong(CITIZEN, "a body never names a citizen's id"))
    if principal.role == "citizen":
        return checked(kind, {**content, CITIZEN: principal.subject})
    identity = _identity(content)
    command = checked(kind, {**content, CITIZEN: _NOBODY})
    if isinstance(command, RegisterCitizen):
        _try_out(system, command)
        citizen: str | None = await asyncio.to_thread(system.vault.enrol, identity)
    else:
        citizen = system.vault.citizen(identity)
    if citizen is None:
        raise RequestFault(
            Fault.UNKNOWN_IDENTITY, "The vault knows nobody by this identity.", IDENTITY
        )
    return command.model_copy(update={CITIZEN: citizen})


def _identity(content: dict[str, Any]) -> str:
    identity = content.pop(IDENTITY, None)
    if not isinstance(identity, str) or not 0 < len(identity) <= MAX_IDENTITY:
        raise invalid(
            Wrong(IDENTITY, f"say in whose name this is: a text of 1 to {MAX_IDENTITY} characters")
        )
    return identity


class _NoSecrets:
    """Secrets for a decision that is only tried out."""

    def pseudonym(self, citizen: str, scope: str) -> str:
        return _NOBODY

    def seal_commitment(self, question: str) -> str:
        raise NotImplementedError

    def seal(self, question: str, voter: str, marks: object) -> str:
        raise NotImplementedError

    def question_key(self, question: str) -> str:
        raise NotImplementedError


def _try_out(system: System, command: RegisterCitizen) -> None:
    """Raises `Refused` where nobody could be registered so: the vault must not learn of a person in vain."""
    command.decide(system.ledger.facts(), Occasion(instant(datetime.now(UTC)), _NoSecrets()))
