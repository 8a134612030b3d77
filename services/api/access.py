"""Who may do what: bearer tokens, and one small table of roles and families of commands."""

import time
from collections import OrderedDict
from collections.abc import Mapping

from starlette.requests import Request

from ledger.domain.deciding import Command
from ledger.vault.vault import Principal, Role, Vault
from services.errors import Fault, RequestFault

ACTS_AS: Mapping[Role, tuple[str, ...]] = {
    "citizen": ("citizen",),
    "organisation": ("organisation",),
}
"""The fields of a command that say in whose name it is given."""

FAMILIES: Mapping[Role, frozenset[str]] = {
    "citizen": frozenset({"choice", "service", "request"}),
    "organisation": frozenset({"service", "request"}),
}
"""The families in which a role may give commands, as itself. The operator may give all commands; a family that
stands in no row is the operator's alone: outcomes among them, until officers of an area can sign in and it can
be told which body may decide what."""

STEWARDS = frozenset({"lapse-choice", "make-area-publishable"})
"""What the steward does by itself; besides, only the operator may."""

KNOWN_FOR = 5.0
"""Seconds for which a token that was looked up is taken as known: a revoked one may work that much longer."""

_KEPT_TOKENS = 10_000
_CHALLENGE = 'Bearer realm="civic-ledger"'


def roles_that_may_give(family: str, command: type[Command]) -> frozenset[Role]:
    """The roles that may give the command, each in its own name (the operator in any)."""
    if command.verb in STEWARDS:
        return frozenset({"operator"})
    acting: set[Role] = {
        role
        for role, families in FAMILIES.items()
        if family in families and any(field in command.model_fields for field in ACTS_AS[role])
    }
    return frozenset({"operator", *acting})


def not_allowed(principal: Principal, command: type[Command]) -> RequestFault:
    return RequestFault(
        Fault.NOT_ALLOWED, f"A token of the role {principal.role!r} cannot {command.verb!r}."
    )


class Access:
    """Finds out who a request is from."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def principal(self, request: Request) -> Principal:
        """Who the request's token stands for. Raises `RequestFault` (401)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise RequestFault(
                Fault.TOKEN_MISSING,
                "Send the header `Authorization: Bearer TOKEN`.",
                headers={"WWW-Authenticate": _CHALLENGE},
            )
        now = time.monotonic()
        looked_up, principal = self._known.get(token, (0.0, None))
        if principal is None or now - looked_up > KNOWN_FOR:
            principal = self._look_up(token, now)
        return principal

    def of_role(self, request: Request, role: Role) -> Principal:
        """Who the request is from, who must be of the role. Raises `RequestFault` (401, 403)."""
        principal = self.principal(request)
        if principal.role != role:
            raise RequestFault(Fault.NOT_ALLOWED, f"This is for a token of the role {role!r}.")
        return principal

    def _look_up(self, token: str, now: float) -> Principal:
        self._known.pop(token, None)
        principal = self._vault.principal(token)
        if principal is None:
            raise RequestFault(
                Fault.TOKEN_UNKNOWN,
                "The token is wrong, or was revoked.",
                headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
            )
        self._known[token] = (now, principal)
        if len(self._known) > _KEPT_TOKENS:
            self._known.popitem(last=False)
        return principal
