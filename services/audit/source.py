"""Where the public files are: a folder, or a web address. Both are read alike, and nothing is ever written."""

import http.client
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

LARGEST: Final = 64 * 2**20
"""Bytes of a file: more than the largest bundle can have (256 · 65,537)."""

_TOGETHER = 8
"""Requests at a time: a log far away is then not read at the pace of its round trips."""

_SECONDS = 30.0


class CannotRead(Exception):
    """The files cannot be reached, so that nothing is known of them. Try again, or name another place."""


class Source(Protocol):
    """Files by their path below one place."""

    @property
    def name(self) -> str:
        """The place, as it was given."""
        ...

    def read(self, path: str, query: str = "") -> bytes | None:
        """The file's bytes; None where there is no such file. A folder knows no queries. Raises `CannotRead`."""
        ...

    def read_all(self, paths: Sequence[str]) -> Iterator[bytes | None]:
        """The same for many, in their order: from far away several at a time, from near by one after the other."""
        ...


def open_source(place: str) -> Source:
    """The files at a web address (`http:` or `https:`) or in a folder. Raises `CannotRead`."""
    if "://" in place:
        return WebSource(place)
    return FolderSource(place)


class FolderSource:
    """Files in a folder."""

    def __init__(self, place: str) -> None:
        self.name = place
        self._folder = f"{Path(place)}/"
        if not Path(place).is_dir():
            raise CannotRead(f"there is no folder {place!r}")

    def read(self, path: str, query: str = "") -> bytes | None:
        try:
            with open(self._folder + path, "rb", buffering=0) as file:  # noqa: PTH123 (half of its time)
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CannotRead(f"{self._folder + path}: {error.strerror}") from error

    def read_all(self, paths: Sequence[str]) -> Iterator[bytes | None]:
        return map(self.read, paths)


class WebSource:
    """Files over HTTP. Connections stay open, one for each thread."""

    def __init__(self, place: str) -> None:
        try:
            parts = urlsplit(place)
            is_right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_right = False
        if not is_right or parts.query:
            raise CannotRead(f"{place!r} is not the address of a log: http://… or https://…")
        self.name = place
        self._parts = parts
        self._local = threading.local()
        self._threads: ThreadPoolExecutor | None = None

    def read(self, path: str, query: str = "") -> bytes | None:
        target = f"{self._parts.path.rstrip('/')}/{quote(path, safe='/~')}"
        if query:
            target += f"?{query}"
        for again in (True, False):
            try:
                return self._get(target)
            except (OSError, http.client.HTTPException) as error:
                self._local.connection = None
                if not again:  # a connection that was kept may have been closed meanwhile
                    raise CannotRead(f"{self.name}: {error or type(error).__name__}") from error
        raise AssertionError

    def read_all(self, paths: Sequence[str]) -> Iterator[bytes | None]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_TOGETHER)
        return self._threads.map(self.read, paths)

    def _get(self, target: str) -> bytes | None:
        connection = self._connection()
        connection.request("GET", target, headers={"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        content = answer.read(LARGEST + 1)
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise CannotRead(f"{self.name}: {target} is answered with {answer.status}")
        if len(content) > LARGEST:
            self._local.connection = None
            raise CannotRead(f"{self.name}: {target} has more than {LARGEST:,} bytes")
        return content

    def _connection(self) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is None:
            secure = self._parts.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            assert self._parts.hostname is not None
            kept = kind(self._parts.hostname, self._parts.port, timeout=_SECONDS)
            self._local.connection = kept
        return kept
