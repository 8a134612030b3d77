"""The public files: a folder that any web server can serve, and whose clone is a full audit copy (C2SP tlog-tiles).

A file is whole or not there, and stays after a crash once `write` has returned: each is written beside the others,
brought to the disk, put in its place by a rename, and the folder that then names it is brought to the disk too.
"""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ledger.transparency.tiles import CHECKPOINT_PATH, TILE_WIDTH, Bundle, Tile

VKEY_PATH: Final = "vkey"
"""The key that signs, for those who have it from nowhere better."""

INCOMING = ".incoming"
LEFT_BEHIND = 3_600.0
"""Seconds after which an unfinished file is one that a crash left behind."""

Content = tuple[str, bytes]
"""A file's path below the folder, and its bytes."""


class PublicFolder:
    """The folder at `path`, made if need be. Any number of processes may write it, since all write the same bytes.

    Raises `OSError`, as the system gives it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the folder, and sweep what a crash left in it."""
        incoming = self.path / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        for file in incoming.iterdir():
            with suppress(FileNotFoundError):  # another process sweeps, or has finished it
                if time.time() - file.stat().st_mtime > LEFT_BEHIND:
                    file.unlink()

    def write(self, files: Iterable[Content]) -> None:
        """Put files in their places. When this returns, they are on the disk; before, each is whole or not there."""
        waiting = [(self._brought_in(content), self.path / name) for name, content in files]
        # All are written first: the system then brings them to the disk together.
        for temporary, _ in waiting:
            _bring_to_disk(temporary)
        named: dict[Path, None] = {}
        for temporary, target in waiting:
            named.update(dict.fromkeys(_put(temporary, target)))
        for folder in named:
            with suppress(FileNotFoundError):  # see `_put`
                _bring_to_disk(folder)

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def tile(self, tile: Tile) -> bytes:
        """A tile's bytes, or those of the full one that took its place (Partial Tiles).

        Raises `FileNotFoundError`: the tree is not as large, or the file is lost.
        """
        found = self.read(tile.path)
        if found is None and tile.width < TILE_WIDTH:
            found = self.read(Tile(tile.level, tile.index).path)
        if found is None:
            raise FileNotFoundError(f"{self.path / tile.path} is not there")
        return found

    def checkpoint(self) -> bytes | None:
        """The published checkpoint."""
        return self.read(CHECKPOINT_PATH)

    def drop_partial(self, full: Iterable[Tile | Bundle]) -> None:
        """Remove the partial forms of what is there in full; readers then take the full one (Partial Tiles)."""
        for one in full:
            shutil.rmtree(self.path / f"{one.path}.p", ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes on this machine from publishing meanwhile."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _brought_in(self, content: bytes) -> Path:
        temporary = self.path / INCOMING / secrets.token_hex(16)
        temporary.write_bytes(content)
        return temporary


def _put(temporary: Path, target: Path) -> list[Path]:
    """Put a file in its place. The folders in which a new name stands now.

    Another process, which has come further, may remove a folder of partial files just then (`drop_partial`).
    """
    while True:
        made = _made(target.parent)
        try:
            temporary.replace(target)
        except FileNotFoundError:
            if not temporary.exists():
                raise
        else:
            return [*made, target.parent]


def _made(folder: Path) -> list[Path]:
    """Make the folder. Those in which a new name stands now."""
    if folder.is_dir():
        return []
    changed = [*_made(folder.parent), folder.parent]
    folder.mkdir(exist_ok=True)
    return changed


def _bring_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
