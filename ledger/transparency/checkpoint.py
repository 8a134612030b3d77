"""What a log signs: its size and its head (C2SP tlog-checkpoint)."""

from collections.abc import Iterable
from typing import NamedTuple

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import Signature, SignatureType, SigningKey, VerifierKey
from ledger.transparency.merkle import EMPTY_HEAD
from ledger.transparency.note import Note, open_note
from ledger.transparency.policy import NO_WITNESSES, Policy
from ledger.transparency.strict import base64_of, decimal, from_base64_hash

_WHAT = "checkpoint"


class Checkpoint(NamedTuple):
    """One log at one size."""

    origin: str
    size: int
    head: bytes
    extensions: tuple[str, ...] = ()
    """Further lines without meaning here; the specification advises against them."""

    @property
    def text(self) -> str:
        """The text that is signed (Note text). Raises `Malformed` if `parse_checkpoint` would refuse it."""
        lines = (self.origin, str(self.size), base64_of(self.head), *self.extensions)
        text = "".join(f"{line}\n" for line in lines)
        if parse_checkpoint(text) != self:
            raise Malformed(_WHAT, "a newline stands inside a line")
        return text


class SignedCheckpoint(NamedTuple):
    """A checkpoint that its log signed, with as many witnesses as the policy asked for."""

    checkpoint: Checkpoint
    note: Note
    """As it was read: text and all signatures."""
    cosignatures: dict[VerifierKey, Signature]
    """Those by witnesses of the policy, all true; `.time` says when."""


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text. Raises `Malformed` unless it is written in the only way that it can be."""
    if not text.endswith("\n"):
        raise Malformed(_WHAT, "does not end in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < 3:
        raise Malformed(_WHAT, f"has {len(lines)} lines; origin, size and head take three")
    if "" in lines:
        raise Malformed(_WHAT, "the line is empty", lines.index("") + 1)
    origin, size_line, head_line, *extensions = lines
    size = decimal(size_line, _WHAT, 2)
    head = from_base64_hash(head_line, _WHAT, 3)
    if size == 0 and head != EMPTY_HEAD:
        raise Malformed(_WHAT, "this is not the head of an empty tree", 3)
    return Checkpoint(origin, size, head, tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, *keys: SigningKey) -> bytes:
    """The signed note. Raises `ValueError` for a key that is not of this log (Signatures), `Malformed` for its text.

    Whether the checkpoint extends what the key has signed before is for the caller to know.
    """
    text = checkpoint.text
    for key in keys:
        if key.verifier.name != checkpoint.origin:
            raise ValueError(
                f"the key of {key.verifier.name} does not sign for {checkpoint.origin}"
            )
    return Note(text, tuple(key.sign(text) for key in keys)).encode()


def open_checkpoint(
    data: bytes, logs: Iterable[VerifierKey], policy: Policy = NO_WITNESSES
) -> SignedCheckpoint:
    """A checkpoint signed by one of these keys of logs, in its own name, and cosigned as the policy asks.

    The logs that the policy itself names count only where they are given: `open_checkpoint(data, p.log_keys, p)`.
    Raises `Malformed`, `Unverified`; `ValueError` for a log's key of a witness's type.
    """
    logs = tuple(logs)
    if any(key.type is not SignatureType.ED25519 for key in logs):
        raise ValueError("the key of a log is of type 0x01")
    opened = open_note(data, (*logs, *policy.witness_keys))
    checkpoint = parse_checkpoint(opened.note.text)
    if not any(key in opened.signed for key in logs if key.name == checkpoint.origin):
        raise Unverified(f"no known key of {checkpoint.origin} signed the checkpoint")
    cosigned = {key: opened.signed[key] for key in policy.witness_keys if key in opened.signed}
    policy.require(cosigned.keys())
    return SignedCheckpoint(checkpoint, opened.note, cosigned)
