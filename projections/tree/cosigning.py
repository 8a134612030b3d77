"""The port of witnesses: who else says that the log only ever grew (C2SP tlog-cosignature)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ledger.transparency.keys import Signature
from ledger.transparency.note import Note

ProofFrom = Callable[[int], Sequence[bytes]]
"""A tree's size → the consistency proof from it to the checkpoint. Raises `ValueError` for a larger tree."""


@dataclass(frozen=True)
class Cosigned:
    """What the witnesses answered. Of each that did not cosign, by name, why not: one line, nothing secret."""

    signatures: tuple[Signature, ...] = ()
    """Verified, each by another witness."""
    missing: Mapping[str, str] = field(default_factory=dict)
    too_few: str | None = None
    """Why these are not enough, where they are not."""


class Witnesses(Protocol):
    """Those who are asked. Obligations: ends within a time limit of its own; raises nothing."""

    def cosign(self, note: Note, size: int, proof_from: ProofFrom) -> Cosigned:
        """Ask for cosignatures of the checkpoint, of a tree of that size, that the log has signed."""
        ...


class NoWitnesses:
    """The log's own signature is enough."""

    def cosign(self, note: Note, size: int, proof_from: ProofFrom) -> Cosigned:
        return Cosigned()
