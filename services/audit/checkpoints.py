"""What the log states of itself, who signed that, and how it agrees with what was seen before."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import VerifierKey
from ledger.transparency.merkle import consistency_proof, verify_consistency
from ledger.transparency.note import parse_note
from ledger.transparency.policy import NO_WITNESSES, Policy
from ledger.transparency.tiles import CHECKPOINT_PATH, TILE_WIDTH, Bundle, Tile, TileReader
from services.audit.bundles import leaves_of, whole_or_part
from services.audit.findings import Findings, Kind
from services.audit.source import CannotRead, Source
from services.audit.state import Seen, StateFile, first_difference


class Statement(NamedTuple):
    """The log's checkpoint, with whose signatures were found true."""

    checkpoint: Checkpoint
    note: bytes
    signed_by: str | None
    """The name of the key; None where no key was given."""
    cosigned_by: list[tuple[str, str]]
    """Witnesses, and when each signed."""


def read_statement(
    source: Source, keys: Sequence[VerifierKey], policy: Policy | None, findings: Findings
) -> Statement | None:
    """The checkpoint; None, with a finding, where it cannot be relied on. Raises `CannotRead`, if there is none."""
    data = source.read(CHECKPOINT_PATH)
    if data is None:
        raise CannotRead(f"there is no checkpoint at {source.name}: is this a log's public place?")
    policy = policy or NO_WITNESSES
    keys = (*keys, *policy.log_keys)
    try:
        if not keys:
            return Statement(parse_checkpoint(parse_note(data).text), data, None, [])
        opened = open_checkpoint(data, keys, policy)
    except (Malformed, Unverified) as error:
        expected = "a checkpoint that is signed with the log's key, and by the witnesses asked for"
        findings.add(Kind.SIGNATURE, None, str(error), expected, file=CHECKPOINT_PATH)
        return None
    cosigned = [(key.name, _moment(one.time)) for key, one in opened.cosignatures.items()]
    return Statement(opened.checkpoint, data, opened.checkpoint.origin, cosigned)


def extends(
    source: Source, now: Checkpoint, memory: StateFile, seen: Seen, findings: Findings
) -> bool:
    """Whether the log begins with what was seen of it before. If not, the findings say where they part."""
    if now.size < seen.size:
        position = _first_difference(source, memory, now.size)
        size = f"{now.size:,} entries"
        if position is None:
            findings.add(Kind.WENT_BACK, None, size, f"{seen.size:,} or more, as were seen before")
        else:
            _rewritten(findings, Kind.REWRITTEN, position, now, seen)
        return False
    if now.size == seen.size:
        if now.head != seen.head:
            position = _first_difference(source, memory, now.size)
            _rewritten(findings, Kind.FORK, position, now, seen)
        return now.head == seen.head
    try:
        reader = TileReader(now.size, lambda tile: _tile(source, tile))
        proof = consistency_proof(seen.size, now.size, reader)
        verify_consistency(seen.size, seen.head, now.size, now.head, proof)
    except (Unverified, Malformed):
        position = _first_difference(source, memory, now.size)
        _rewritten(findings, Kind.REWRITTEN, position, now, seen)
        return False
    return True


def _rewritten(
    findings: Findings, kind: Kind, position: int | None, now: Checkpoint, seen: Seen
) -> None:
    """The two signed statements are the evidence: both are in the report."""
    if position is None:
        found = f"a signed log of {now.size:,} entries that does not begin with what was seen"
    else:
        found = f"another entry than was seen here, in a signed log of {now.size:,} entries"
    expected = f"the log that was seen with {seen.size:,} entries, head {seen.head.hex()}"
    findings.add(kind, position, found, expected)


def _first_difference(source: Source, memory: StateFile, size: int) -> int | None:
    """The first position whose entry is not the one that was seen, in a log that has `size` entries now."""
    for number, before in memory.names():
        width = min(TILE_WIDTH, size - number * TILE_WIDTH)
        if width <= 0:
            return None
        leaves = leaves_of(source, Bundle(number, width))
        if leaves is None:
            return number * TILE_WIDTH + 1
        at = first_difference(before, leaves)
        if at is not None:
            return number * TILE_WIDTH + at + 1
    return None


def _tile(source: Source, tile: Tile) -> bytes:
    content = whole_or_part(source, tile, source.read(tile.path))
    if content is None:
        raise Malformed(tile.path, "there is no such file")
    return content


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC).isoformat(timespec="seconds")
