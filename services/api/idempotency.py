"""`Idempotency-Key`: the same command sent twice is carried out once.

A command's id is public (it is part of its entry), so it is derived in a way that tells nobody who sent it. That
a key comes back with another command is found by looking at what the log holds under the id: nothing else is
remembered, so a crash or another process makes no difference. What no entry shows (sealed marks, a person's own
words) cannot be compared; there the first command counts, and the answer says `again`.
"""

import re
from hashlib import sha256

from starlette.requests import Request

from ledger.codec import decode
from ledger.domain.deciding import Command
from ledger.eventlog.port import EVERYTHING
from ledger.recording import new_id
from ledger.vault.vault import Principal
from services.api.bodies import invalid
from services.assembly import System
from services.errors import Fault, RequestFault, Wrong

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def key_of(request: Request) -> str | None:
    """The request's key, or None. Raises `RequestFault` (422)."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise invalid(Wrong(HEADER, "give 1 to 200 visible ASCII characters, without blanks"))
    return key


def command_id(
    system: System, principal: Principal, verb: str, citizen: str | None, key: str | None
) -> str:
    """The id under which a command is carried out: a new one unless it has a key."""
    if key is None:
        return new_id()
    if citizen is None:
        told = "/".join((principal.role, principal.subject, verb, key))
        return sha256(told.encode()).hexdigest()[:32]
    # Under the citizen's own key: nobody can find out by guessing keys who sent a command.
    by_operator = "" if principal.role == "citizen" else f"{principal.role}/"
    return system.vault.pseudonym(citizen, f"idempotency/{by_operator}{verb}/{key}")


def check_same(system: System, command: Command, position: int) -> None:
    """Check that the event that stands for a command sent again can be of this command. Raises `RequestFault`."""
    (record,) = system.log.select(EVERYTHING, after=position - 1, limit=1)
    event = decode(record.entry).event
    happened = event.model_dump()
    happened |= happened.pop("answer", None) or {}
    asked = command.model_dump(exclude={"citizen"})
    differing = [
        name
        for name in asked.keys() & happened.keys()
        if asked[name] is not None and happened[name] is not None and asked[name] != happened[name]
    ]
    if (command.private() is None) != (happened.get("private") is None):
        differing.append("words")
    if differing:
        raise RequestFault(
            Fault.IDEMPOTENCY_KEY_REUSED,
            f"The key was sent before with other {min(differing)!r}; take a new key for a new command.",
            HEADER,
        )
