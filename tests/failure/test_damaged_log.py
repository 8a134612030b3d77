"""A log file that is not what was written is refused, with its name and with what to do."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.eventlog.port import EVERYTHING, Append, DamagedLog, NewEvent
from ledger.eventlog.sqlite import SQLiteLog
from ledger.eventlog.sqlite_records import SCHEMA_VERSION
from services.assembly import assembled
from services.settings import Settings

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound log of two thousand events."""
    path = tmp_path / "log.sqlite"
    log = SQLiteLog(path)
    for n in range(4):
        log.append_batch(
            [
                Append((NewEvent("thing", b"x" * 400, (f"t{one}",), f"{n}-{one}/1"),))
                for one in range(500)
            ]
        )
    log.close()
    assert path.stat().st_size > 200 * PAGE
    return path


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * length)


def sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def instead(path: Path, *statements: str) -> None:
    path.unlink()
    sql(path, *statements)


def truncated(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "the header is overwritten": lambda path: overwrite(path, 0, 100),
    "the first page is overwritten": lambda path: overwrite(path, 100, PAGE - 100),
    "a page in the middle is overwritten": lambda path: overwrite(path, 100 * PAGE, PAGE),
    "many pages are overwritten": lambda path: overwrite(path, 20 * PAGE, 90 * PAGE),
    "it is half as long": lambda path: truncated(path, 100 * PAGE),
    "it ends within a page": lambda path: truncated(path, 150 * PAGE + 77),
    "only its header is left": lambda path: truncated(path, 100),
    "it is no database": lambda path: path.write_text("a log, they said\n" * 500),
    "it is a database of something else": lambda path: instead(path, "CREATE TABLE music (title)"),
    "it is somebody else's records": lambda path: instead(path, "CREATE TABLE records (singer)"),
    "it is of a newer version": lambda path: sql(
        path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}"
    ),
    "a record is missing": lambda path: sql(
        path, "DROP TRIGGER no_record_goes", "DELETE FROM records WHERE position = 1000"
    ),
    "its first records are missing": lambda path: sql(
        path, "DROP TRIGGER no_record_goes", "DELETE FROM records WHERE position < 10"
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_log_is_refused_on_start(path: Path, damage: str) -> None:
    DAMAGES[damage](path)
    before = path.read_bytes()
    with pytest.raises(DamagedLog) as refused:
        open_and_verify(path)
    said = str(refused.value)
    assert str(path) in said
    assert re.search(r"put the last good copy of it in its place .* and start again", said)
    assert path.read_bytes() == before, "what is left must stay as it is, for whoever repairs it"


@pytest.mark.parametrize("damage", ["the header is overwritten", "a record is missing"])
def test_no_system_starts_on_it(path: Path, damage: str) -> None:
    DAMAGES[damage](path)
    settings = Settings(log=f"sqlite:///{path}", store="memory:", vault="memory:")
    with pytest.raises(DamagedLog), assembled(settings, verify=True):
        pass


def open_and_verify(path: Path) -> None:
    log = SQLiteLog(path)
    try:
        log.verify()
    finally:
        log.close()


def test_a_sound_log_is_not_refused(path: Path) -> None:
    open_and_verify(path)


def test_a_good_copy_in_its_place_is_enough(path: Path, tmp_path: Path) -> None:
    copy = path.read_bytes()
    overwrite(path, 0, 100)
    with pytest.raises(DamagedLog):
        open_and_verify(path)
    path.write_bytes(copy)
    log = SQLiteLog(path)
    log.verify()
    assert log.head() == len(log.select(EVERYTHING)) == 2_000
    log.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE records SET entry = x'00'", "DELETE FROM records WHERE position = 2000"]
)
def test_not_even_by_hand_is_a_record_changed_by_mistake(path: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="a record is never"):
        sql(path, statement)


def test_a_log_is_met_while_it_is_in_use(path: Path) -> None:
    """Damage that comes later is told at the read that meets it."""
    log = SQLiteLog(path)
    assert log.head() == 2_000
    overwrite(path, 50 * PAGE, 150 * PAGE)
    with pytest.raises(DamagedLog, match="good copy"):
        log.select(EVERYTHING)
    log.close()
