"""A tree worker that is watched, and a process of one that dies at a given act."""

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any
from unittest import mock

from ledger.eventlog.sqlite import SQLiteLog
from ledger.transparency.keys import SigningKey
from projections.tree import folder as folders
from projections.tree.checking import Parted
from projections.tree.cosigning import NoWitnesses
from projections.tree.last_signed import SQLiteLastSigned
from tests.publishing import worker_on

Act = Callable[[str, tuple[Any, ...]], None]
"""Called with what is about to be done (or was, after the word `after`), and with what."""

NEVER = 0
PARTED = 3
"""The exit code of a process that refused to sign."""


@contextmanager
def watched(act: Act) -> Iterator[None]:
    """Within the block, `act` is called at all that changes a disk or makes a signature (design, section 8)."""

    def around(name: str, real: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
        def do(*arguments: Any, **options: Any) -> Any:
            act(name, arguments)
            done = real(*arguments, **options)
            if after:
                act(f"after {name}", arguments)
            return done

        return do

    with (
        mock.patch.object(Path, "write_bytes", around("write", Path.write_bytes)),
        mock.patch.object(Path, "replace", around("rename", Path.replace, after=True)),
        mock.patch.object(folders, "_bring_to_disk", around("sync", folders._bring_to_disk)),
        mock.patch.object(shutil, "rmtree", around("drop", shutil.rmtree)),
        mock.patch.object(
            SQLiteLastSigned, "advance", around("swap", SQLiteLastSigned.advance, after=True)
        ),
        mock.patch.object(SigningKey, "sign", around("sign", SigningKey.sign, after=True)),
        mock.patch.object(NoWitnesses, "cosign", around("cosign", NoWitnesses.cosign, after=True)),
    ):
        yield


def killed_at(folder: Path, act: int) -> str | None:
    """Let a process publish the folder's log and kill itself at its n-th act. What that was; None if it lived.

    Raises `Parted` if it refused to sign.
    """
    process = multiprocessing.get_context("fork").Process(target=_publish, args=(folder, act))
    process.start()
    process.join()
    if process.exitcode == PARTED:
        raise Parted((folder / "parted").read_text())
    if process.exitcode == -signal.SIGKILL:
        return (folder / "died").read_text()
    assert process.exitcode == 0
    return None


def following(folder: Path) -> ForkProcess:
    """A process that publishes the folder's log as fast as it can, until it is killed."""
    process = multiprocessing.get_context("fork").Process(target=_follow, args=(folder,))
    process.start()
    return process


def _follow(folder: Path) -> None:
    log, store = SQLiteLog(folder / "log.sqlite"), SQLiteLastSigned(folder / "store.sqlite")
    worker_on(log, folder / "public", store).follow(threading.Event(), pace=0.001)


def _publish(folder: Path, last: int) -> None:
    done = 0

    def act(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        done += 1
        if name == "after sign":
            with (folder / "signed").open("a", encoding="utf-8") as signed:
                signed.write(arguments[1] + "\0")
        if done == last:
            (folder / "died").write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    log = SQLiteLog(folder / "log.sqlite")
    store = SQLiteLastSigned(folder / "store.sqlite")
    try:
        with watched(act):
            worker_on(log, folder / "public", store).catch_up()
    except Parted as parted:
        (folder / "parted").write_text(str(parted))
        os._exit(PARTED)
    os._exit(0)  # as a process that is not in the middle of a test would
