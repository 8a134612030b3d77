"""What the ledger says of itself, so that anybody can check: the key of its checkpoints, its read models' digests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from ledger.domain.deciding import Command, Facts, Occasion, Perspective, types
from ledger.domain.event import Amount, Digest, Event, Happened
from ledger.domain.refusals import Reason, Refused
from ledger.transparency.keys import SignatureType, VerifierKey


def _vkey_of_a_log(vkey: str) -> str:
    if VerifierKey.parse(vkey).type is not SignatureType.ED25519:
        raise ValueError("the key of a log is of type 0x01")
    return vkey


VKey = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_vkey_of_a_log)]
"""A public key as it is published (C2SP signed-note, Verifier keys)."""

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$", max_length=100)]
_KEY_TAG = "ledger:checkpoint-key"


class KeyRotated(Event):
    """Checkpoints are signed with the key `vkey` from now on, and for a while with `previous` as well: who trusts
    `previous` finds this entry below a checkpoint that it signed, and trusts `vkey` by it."""

    type = "civic.key.rotated.v1"
    previous: VKey
    vkey: VKey

    @property
    def subject(self) -> str:
        return "ledger/checkpoint-key"


class DigestAttested(Event):
    """The ledger states what its read model held at a position: the digest that `docs/digest.md` defines. Who folds
    the entries up to there finds the same one, or has found out that what was shown is not what was recorded."""

    type = "civic.digest.attested.v1"
    model: ModelName
    version: Annotated[int, Field(ge=1)]
    position: Amount
    digest: Digest

    @property
    def subject(self) -> str:
        return f"ledger/model/{self.model}"


@dataclass(frozen=True, slots=True)
class CheckpointKeys:
    """The keys that rotations have named, in their order."""

    vkeys: tuple[str, ...] = ()

    def evolve(self, event: KeyRotated) -> "CheckpointKeys":
        return CheckpointKeys((*(self.vkeys or (event.previous,)), event.vkey))


@dataclass(frozen=True, slots=True)
class Attested:
    """Up to where a model has been attested."""

    position: int = -1
    version: int = 0

    def evolve(self, event: DigestAttested) -> "Attested":
        return Attested(event.position, event.version)


def checkpoint_keys() -> Perspective[CheckpointKeys]:
    return Perspective(CheckpointKeys, types(KeyRotated), (_KEY_TAG,))


def attested(model: str) -> Perspective[Attested]:
    return Perspective(Attested, types(DigestAttested), (f"model:{model}",), latest=True)


class RotateKey(Command):
    """Record that another key signs checkpoints. `civic-ledger keys rotate` gives this command and changes the key."""

    verb = "rotate-key"
    previous: VKey
    vkey: VKey

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        known = facts.about(checkpoint_keys()).vkeys
        if known and known[-1] != self.previous:
            raise Refused(Reason.KEY_NOT_CURRENT, f"The current key is {known[-1]}.", "previous")
        if self.vkey in (*known, self.previous):
            raise Refused(Reason.KEY_USED_BEFORE, "Make a new key.", "vkey")
        return [Happened(KeyRotated(previous=self.previous, vkey=self.vkey), (_KEY_TAG,))]


class AttestDigest(Command):
    """State a read model's digest at a position, later than the last one."""

    verb = "attest-digest"
    model: ModelName
    version: Annotated[int, Field(ge=1)]
    position: Amount
    digest: Digest

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        last = facts.about(attested(self.model))
        if self.version == last.version and self.position <= last.position:
            raise Refused(
                Reason.ALREADY_ATTESTED,
                f"Position {last.position} of the model {self.model!r} is attested already.",
                "position",
            )
        event = DigestAttested(**{name: getattr(self, name) for name in type(self).model_fields})
        return [Happened(event, (f"model:{self.model}",))]
