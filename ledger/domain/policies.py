"""Policy areas: the taxonomy of what is decided about. COFOG is the default (`cofog.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.deciding import Command, Facts, Occasion, Perspective, types
from ledger.domain.event import Event, Happened, Id, Title
from ledger.domain.refusals import Reason, Refused


class PolicyDefined(Event):
    """A node of the taxonomy came to be, below `parent` or at the top."""

    type = "civic.policy.defined.v1"
    policy: Id
    name: Title
    parent: Id | None = None

    @property
    def subject(self) -> str:
        return f"policy/{self.policy}"


class PolicyAmended(Event):
    """A node was renamed."""

    type = "civic.policy.amended.v1"
    policy: Id
    name: Title

    @property
    def subject(self) -> str:
        return f"policy/{self.policy}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy area; `name` is None until it is defined."""

    name: str | None = None

    def evolve(self, event: PolicyDefined | PolicyAmended) -> "Policy":
        return Policy(event.name)


def policy(policy_id: str) -> Perspective[Policy]:
    return Perspective(
        Policy, types(PolicyDefined, PolicyAmended), (f"policy:{policy_id}",), shared=True
    )


def known_policy(facts: Facts, policy_id: str, field: str = "policy") -> Policy:
    """The policy area, which must be defined. Raises `Refused`."""
    found = facts.about(policy(policy_id))
    if found.name is None:
        raise Refused(
            Reason.UNKNOWN_POLICY, f"There is no policy area {policy_id!r}; define it first.", field
        )
    return found


class DefinePolicy(Command):
    """Add a node to the taxonomy."""

    verb = "define-policy"
    policy: Id
    name: Title
    parent: Id | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(policy(self.policy)).name is not None:
            raise Refused(
                Reason.POLICY_EXISTS,
                f"The policy area {self.policy!r} is defined already.",
                "policy",
            )
        if self.parent is not None:
            known_policy(facts, self.parent, "parent")
        event = PolicyDefined(policy=self.policy, name=self.name, parent=self.parent)
        return [Happened(event, (f"policy:{self.policy}",))]


class RenamePolicy(Command):
    """Give a node of the taxonomy another name."""

    verb = "rename-policy"
    policy: Id
    name: Title

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        known_policy(facts, self.policy)
        event = PolicyAmended(policy=self.policy, name=self.name)
        return [Happened(event, (f"policy:{self.policy}",))]
