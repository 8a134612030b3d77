"""Sign → cosign → publish: what becomes of a head that is written down in the last-signed store."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import consistency_proof
from ledger.transparency.note import Note, parse_note
from ledger.transparency.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    TileReader,
    bundles_between,
    tiles_between,
)
from projections.tree.checking import Parted
from projections.tree.cosigning import Cosigned, NoWitnesses, Witnesses
from projections.tree.folder import VKEY_PATH, PublicFolder
from projections.tree.last_signed import TreeHead

_logger = logging.getLogger(__name__)


class Keys(Protocol):
    """The log's keys. May raise errors of its own, never with a key in the message."""

    def signing(self, *, first: bool) -> Sequence[SigningKey]:
        """All that sign now, the current one first. `first`: nothing was ever signed, so one may be made."""
        ...


@dataclass(frozen=True)
class TreeStatus:
    """How far the public files have come, for operators. Sizes are in entries."""

    published: int | None = None
    """Below the published checkpoint; None before there is one."""
    signed: int | None = None
    published_at: float | None = None
    """When this process last published, in seconds since 1970."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Witnesses that did not cosign the last time, and why."""
    held_back: str | None = None
    """Why what is signed is not published."""
    refused: str | None = None
    """Why nothing is signed any more."""


class Publisher:
    """Publishes checkpoints of one origin in one folder; any number of processes may. Use from one thread."""

    def __init__(
        self,
        folder: PublicFolder,
        origin: str,
        keys: Keys,
        witnesses: Witnesses | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._keys = keys
        self._witnesses = witnesses or NoWitnesses()
        self._clock = clock
        self._vkey = b""
        self.status = TreeStatus()

    def prepare(self, signed: TreeHead | None) -> TreeHead | None:
        """Make the folder, and the first key where nothing was ever signed. What is published.

        Raises `Parted` where that is not ours: what comes next must not contradict it.
        """
        self._folder.prepare()
        is_first = signed is None and self._folder.checkpoint() is None
        keys = self._keys.signing(first=is_first)
        published = self._read(keys)
        self._tell(
            signed=None if signed is None else signed.size,
            published=None if published is None else published.size,
        )
        self._show_key(keys)
        return published

    def publish(self, head: TreeHead) -> None:
        """Publish a head that the last-signed store holds and whose files are there, or hold it back.

        The witnesses are asked for what is signed, not for what is published: none of them ever cosigns what
        might be taken back. Raises what the keys raise, `OSError`, and `Parted`.
        """
        keys = self._keys.signing(first=False)
        note = parse_note(sign_checkpoint(Checkpoint(self._origin, *head), *keys))
        self._tell(signed=head.size)

        def proof_from(old: int) -> Sequence[bytes]:
            return consistency_proof(old, head.size, TileReader(head.size, self._folder.tile))

        cosigned = self._witnesses.cosign(note, head.size, proof_from)
        self._tell_witnesses(head, cosigned)
        if cosigned.too_few is None:
            for signature in cosigned.signatures:
                note = note.signed_too(signature)
            self._put_in_place(head, note, keys)

    def refuse(self, parted: Parted) -> None:
        """Show that nothing is signed any more."""
        self._tell(refused=str(parted))

    def _put_in_place(self, head: TreeHead, note: Note, keys: Sequence[SigningKey]) -> None:
        with self._folder.locked():
            there = self._read(keys)
            published = -1 if there is None else there.size
            if published < head.size:  # else another worker was faster: never go back
                before, size = max(published, 0), head.size
                for files in (tiles_between(before, size), bundles_between(before, size)):
                    self._folder.drop_partial(one for one in files if one.width == TILE_WIDTH)
                self._show_key(keys)
                self._folder.write([(CHECKPOINT_PATH, note.encode())])
                published = size
        self._tell(published=published, published_at=self._clock())

    def _read(self, keys: Sequence[SigningKey]) -> TreeHead | None:
        data = self._folder.checkpoint()
        if data is None:
            return None
        try:
            checkpoint = open_checkpoint(data, [key.verifier for key in keys]).checkpoint
        except (Malformed, Unverified) as error:
            raise Parted(
                f"this ledger's key has not signed the checkpoint in the public folder ({error}): give the right "
                "folder and key, or move that folder away"
            ) from error
        return TreeHead(checkpoint.size, checkpoint.head)

    def _show_key(self, keys: Sequence[SigningKey]) -> None:
        vkey = f"{keys[0].verifier.vkey}\n".encode()
        if vkey != self._vkey:
            self._folder.write([(VKEY_PATH, vkey)])
            self._vkey = vkey

    def _tell_witnesses(self, head: TreeHead, cosigned: Cosigned) -> None:
        if cosigned.too_few is not None and self.status.held_back is None:
            _logger.error(
                "the checkpoint of %d entries is held back, the last one stays: %s",
                head.size,
                cosigned.too_few,
            )
        elif cosigned.too_few is None and self.status.held_back is not None:
            _logger.warning("checkpoints are published again, now of %d entries", head.size)
        for name in cosigned.missing.keys() - self.status.missing.keys():
            _logger.warning("the witness %s did not cosign: %s", name, cosigned.missing[name])
        self._tell(missing=dict(cosigned.missing), held_back=cosigned.too_few)

    def _tell(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
