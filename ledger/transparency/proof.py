"""Proof that an entry is in a log, to be kept and verified without asking anybody (C2SP tlog-proof)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ledger.transparency.checkpoint import SignedCheckpoint, open_checkpoint
from ledger.transparency.errors import Malformed
from ledger.transparency.keys import VerifierKey
from ledger.transparency.merkle import leaf_hash, verify_inclusion
from ledger.transparency.note import parse_note
from ledger.transparency.policy import NO_WITNESSES, Policy
from ledger.transparency.strict import (
    base64_of,
    decimal,
    from_base64,
    from_base64_hash,
    shown,
    utf8,
)

FILE_EXTENSION: Final = ".tlog-proof"

_WHAT = "proof"
_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63


@dataclass(frozen=True, slots=True)
class LogProof:
    """Where an entry stands, the way from it to the head, and the checkpoint that states the head."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    """The signed note, byte for byte as the log published it."""
    extra: bytes | None = None
    """What an application adds. Nobody signed it."""

    def encode(self) -> bytes:
        """The file's bytes (Format). Raises `Malformed` if `parse_proof` would refuse them."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {base64_of(self.extra)}")
        lines += [f"index {self.index}", *(base64_of(one) for one in self.hashes), "", ""]
        data = "\n".join(lines).encode() + self.checkpoint
        parse_proof(data)
        return data


def parse_proof(data: bytes) -> LogProof:
    """The proof in a file. Raises `Malformed`; verifies nothing."""
    text = utf8(data, _WHAT)
    head, blank, _ = text.partition("\n\n")
    if not blank:
        raise Malformed(_WHAT, "no empty line stands before the checkpoint")
    checkpoint = data[len((head + blank).encode()) :]
    lines = head.split("\n")
    if lines[0] != _FIRST_LINE:
        raise Malformed(_WHAT, f"does not begin with {_FIRST_LINE}", 1)
    extra = None
    at = 1
    if len(lines) > at and lines[at].startswith("extra "):
        extra = from_base64(lines[at].removeprefix("extra "), _WHAT, at + 1)
        if not extra:
            raise Malformed(
                _WHAT, "the extra line is left out where there is nothing extra", at + 1
            )
        at += 1
    if len(lines) <= at or not lines[at].startswith("index "):
        found = shown(lines[at]) if len(lines) > at else "the end"
        raise Malformed(_WHAT, f"the index must stand here, not {found}", at + 1)
    index = decimal(lines[at].removeprefix("index "), _WHAT, at + 1)
    hashes = lines[at + 1 :]
    if len(hashes) > _MAX_HASHES:
        raise Malformed(_WHAT, f"has {len(hashes)} hashes; no tree needs more than {_MAX_HASHES}")
    numbered = enumerate(hashes, at + 2)
    read = tuple(from_base64_hash(line, _WHAT, number) for number, line in numbered)
    parse_note(checkpoint)
    return LogProof(index, read, checkpoint, extra)


def verify_proof(
    proof: LogProof,
    entry: bytes,
    logs: Iterable[VerifierKey],
    policy: Policy = NO_WITNESSES,
) -> SignedCheckpoint:
    """The checkpoint, once it is sure that the entry stands at the proof's index below it.

    Raises `Malformed`, and `Unverified` if a signature, the quorum or the way to the head is not there.
    """
    signed = open_checkpoint(proof.checkpoint, logs, policy)
    checkpoint = signed.checkpoint
    leaf = leaf_hash(entry)
    verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.head)
    return signed
