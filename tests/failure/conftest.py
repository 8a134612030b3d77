"""What tests of failures share: a disk that is soon full, and stores of both kinds."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from projections.stores.port import Store
from services.assembly import log_and_store
from services.settings import Settings
from tests.postgres import Server

ROOM = 3_000_000


@pytest.fixture
def disk_of() -> Iterator[Callable[[int], Path]]:
    """Makes a file system of its own, with room for so many bytes.

    Not in pytest's folder, which is closed to the user that PostgreSQL runs as.
    """
    with ExitStack() as stack:

        def mounted(size: int) -> Path:
            disk = Path(tempfile.mkdtemp(prefix="civic-disk-"))
            stack.callback(disk.rmdir)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
            if (
                os.geteuid() != 0
                or subprocess.run(mount, check=False, capture_output=True).returncode
            ):
                pytest.skip("only root may mount a file system, and not everywhere")
            stack.callback(subprocess.run, ["umount", "--lazy", str(disk)], check=True)
            return disk

        yield mounted


@pytest.fixture
def small_disk(disk_of: Callable[[int], Path]) -> Path:
    """A file system with little room: `ROOM` bytes."""
    return disk_of(ROOM)


@pytest.fixture
def town(town_log: Path) -> Path:
    return town_log


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be made, in a file or on a server."""
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    server: Server = request.getfixturevalue("postgres_server")
    return server.new_schema()


@pytest.fixture
def opened(store_url: str) -> Iterator[Callable[[], Store]]:
    """Opens that store, any number of times."""
    with ExitStack() as stack:
        settings = Settings(log="memory:", store=store_url)
        yield lambda: stack.enter_context(log_and_store(settings))[1]
