"""Asking a witness for its cosignature, and what a witness must check before it gives one (C2SP tlog-witness)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import VerifierKey
from ledger.transparency.merkle import EMPTY_HEAD, verify_consistency
from ledger.transparency.note import parse_note
from ledger.transparency.strict import base64_of, decimal, from_base64_hash, shown, utf8

ADD_CHECKPOINT: Final = "/add-checkpoint"
"""Below the witness's submission prefix."""

SIZE_TYPE: Final = "text/x.tlog.size"
"""The content type of an answer that says where the witness stands."""

MAX_PROOF: Final = 63
_WHAT = "add-checkpoint request"


class Submission(NamedTuple):
    """A checkpoint, with the consistency proof to it from what the witness has cosigned before."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    """The signed note."""

    def encode(self) -> bytes:
        """The body of the request. Raises `Malformed` if `parse_submission` would refuse it."""
        lines = [f"old {self.old_size}", *(base64_of(one) for one in self.proof), "", ""]
        data = "\n".join(lines).encode() + self.checkpoint
        parse_submission(data)
        return data


class Latest(NamedTuple):
    """What a witness has cosigned last of one origin."""

    size: int = 0
    head: bytes = EMPTY_HEAD


class Declined(Exception):
    """A witness does not cosign. `status` is the answer's (add-checkpoint); the message says why."""

    def __init__(self, status: int, why: str, size: int | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.size = size
        """With status 409: how many entries the checkpoint had that the witness has cosigned last."""


class Forked(Declined):
    """The log has signed two heads of one size. The checkpoint proves it, together with the one cosigned before."""


def parse_submission(data: bytes) -> Submission:
    """The request in a body. Raises `Malformed`; verifies nothing."""
    head, blank, _ = utf8(data, _WHAT).partition("\n\n")
    if not blank:
        raise Malformed(_WHAT, "no empty line stands before the checkpoint")
    old, *proof = head.split("\n")
    if not old.startswith("old "):
        raise Malformed(_WHAT, f"the old size must stand here, not {shown(old)}", 1)
    if len(proof) > MAX_PROOF:
        raise Malformed(_WHAT, f"has {len(proof)} hashes; no proof needs more than {MAX_PROOF}")
    size = decimal(old.removeprefix("old "), _WHAT, 1)
    hashes = tuple(from_base64_hash(line, _WHAT, n) for n, line in enumerate(proof, 2))
    checkpoint = data[len((head + blank).encode()) :]
    parse_checkpoint(parse_note(checkpoint).text)
    return Submission(size, hashes, checkpoint)


def known_checkpoint(submission: Submission, logs: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint, signed by a known key of its origin. Raises `Declined` (400, 403, 404)."""
    origin = parse_checkpoint(parse_note(submission.checkpoint).text).origin
    keys = [key for key in logs if key.name == origin]
    if not keys:
        raise Declined(404, f"the log {shown(origin)} is not known here")
    try:
        checkpoint = open_checkpoint(submission.checkpoint, keys).checkpoint
    except Unverified as error:
        raise Declined(403, str(error)) from error
    if submission.old_size > checkpoint.size:
        raise Declined(
            400, f"the old size {submission.old_size} is above the checkpoint's {checkpoint.size}"
        )
    return checkpoint


def check_extends(submission: Submission, checkpoint: Checkpoint, latest: Latest) -> None:
    """Raises `Declined` (409, 422) unless the checkpoint extends the one cosigned last, as the proof says.

    Looking at `latest` and putting the checkpoint in its place must be one atomic step.
    """
    if submission.old_size != latest.size:
        raise Declined(409, f"the checkpoint cosigned last has {latest.size} entries", latest.size)
    if checkpoint.size == latest.size and checkpoint.head != latest.head:
        why = f"another head of {latest.size} entries was cosigned before"
        raise Forked(409, why, latest.size)
    try:
        verify_consistency(*latest, checkpoint.size, checkpoint.head, submission.proof)
    except Unverified as error:
        raise Declined(422, str(error)) from error
