"""Appends handed on from a process that wants to write to the sequencer, where both run on one machine.

They share a replica, and beside it stands a socket on which the sequencer takes appends, open to its user alone. So an
import runs beside a server, as it does on a log in SQLite. A frame is four bytes of length and JSON.
"""

import base64
import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from ledger.eventlog.port import (
    Append,
    Appended,
    Conflict,
    Guard,
    LogUnavailable,
    NewEvent,
    Selection,
)

LARGEST = 256 * 1024 * 1024
"""Bytes of a frame; a larger one is not read."""

_LENGTH = struct.Struct(">I")

Submit = Callable[[Append], "Future[Appended]"]


class Counter:
    """Where the sequencer takes what others hand on; from its start to its end."""

    def __init__(self, replica: Path, submit: Submit) -> None:
        self._submit = submit
        self._directory, self._address, self._path = _place(replica)
        self._path.unlink(missing_ok=True)  # of one that was killed
        self._listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            self._listener.bind(self._address)
        finally:
            os.umask(before)
        self._listener.listen()
        self._thread = threading.Thread(target=self._run, name="kafka counter", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self._path.unlink(missing_ok=True)
        os.close(self._directory)

    def _run(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, suppress(OSError, ValueError, LogUnavailable):  # the caller sees it go away
            while (frame := _received(caller)) is not None:
                futures = [self._submit(_append(one)) for one in orjson.loads(frame)]
                _send(caller, orjson.dumps([_outcome(future) for future in futures]))


class Messenger:
    """Hands appends on. Not for several threads at once."""

    def __init__(self, replica: Path) -> None:
        self._replica = replica
        self._connection: socket.socket | None = None

    def hand_on(
        self, appends: Sequence[Append], patience: float
    ) -> list[Appended | Conflict] | None:
        """The outcomes, or None where no sequencer on this machine takes appends.

        Raises `LogUnavailable` with what the sequencer said, or when it went away: then nothing is known.
        """
        if not appends:
            return []
        try:
            connection = self._connected(patience)
        except OSError:
            return None
        try:
            _send(connection, orjson.dumps([_told(append) for append in appends]))
            answer = _received(connection)
            if answer is None:
                raise ConnectionError("it went away")
        except OSError as error:
            self.close()
            raise LogUnavailable(
                f"the sequencer on this machine did not answer ({error})"
            ) from error
        return [
            _understood(one, append)
            for one, append in zip(orjson.loads(answer), appends, strict=True)
        ]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self, patience: float) -> socket.socket:
        if self._connection is None:
            connection = socket.socket(socket.AF_UNIX)
            directory, address, _ = _place(self._replica)
            try:
                connection.connect(address)
            except OSError:
                connection.close()
                raise
            finally:
                os.close(directory)
            self._connection = connection
        self._connection.settimeout(patience)
        return self._connection


def _place(replica: Path) -> tuple[int, str, Path]:
    """The socket beside a replica: its folder, opened; its address by way of that; and its path.

    The path itself may be longer than the hundred bytes that fit into the address of a socket.
    """
    path = replica.with_name(replica.name + ".sock")
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    return directory, f"/proc/self/fd/{directory}/{path.name}", path


def _send(connection: socket.socket, content: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(content)) + content)


def _received(connection: socket.socket) -> bytes | None:
    """A frame, or None where the other side has ended."""
    head = _exactly(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > LARGEST:
        raise ValueError(f"a frame of {length:,} bytes")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    content = bytearray()
    while len(content) < length:
        part = connection.recv(min(length - len(content), 1 << 20))
        if not part:
            return None
        content += part
    return bytes(content)


def _told(append: Append) -> list[Any]:
    events = [
        [one.type, base64.b64encode(one.entry).decode(), one.tags, one.id] for one in append.events
    ]
    return [events, [[*one.selection, one.after] for one in append.guards]]


def _append(told: list[Any]) -> Append:
    events, guards = told
    return Append(
        tuple(
            NewEvent(type_, base64.b64decode(entry), tuple(tags), id_)
            for type_, entry, tags, id_ in events
        ),
        tuple(Guard(Selection(tuple(types), tuple(tags)), after) for types, tags, after in guards),
    )


def _outcome(future: "Future[Appended]") -> list[Any]:
    try:
        return ["appended", *future.result()]
    except Conflict:
        return ["conflict"]
    except LogUnavailable as error:
        return ["unavailable", str(error)]


def _understood(told: list[Any], append: Append) -> Appended | Conflict:
    match told:
        case ["appended", position, again]:
            return Appended(position, again)
        case ["conflict"]:
            return Conflict(append.guards)
        case _:
            raise LogUnavailable(str(told[-1]))
