"""An import that is killed at any point, and imported again, ends as one that was never interrupted."""

import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.importing import PROGRAM, Ledger, pb, polis

SMALL_BATCHES = f"import services.importers.run as run; run.BATCH = 40; {PROGRAM}"
PEOPLE = 300


def files(folder: Path) -> list[Path]:
    """The same people are asked in their city and, most of them, in one of its districts."""
    city = [f"{n};{'p,q' if n % 3 else 'r'};{20 + n % 50}" for n in range(PEOPLE)]
    columns, common = "voter_id;vote;age", {"budget": "5", "min_project_score_threshold": "10"}
    return [
        pb(folder / "city.pb", city, columns=columns, district="", **common),
        pb(folder / "nord.pb", city[:200], columns=columns, **common),
        pb(folder / "syd.pb", city[200:280], columns=columns, district="Syd", **common),
    ]


def conversation(folder: Path) -> list[Path]:
    """Everybody changes their mind back and forth, some of them more often."""
    votes = [
        (turn * 1_000 + voter, statement, voter, 1 if turn % 2 else -1)
        for voter in range(60)
        for statement in range(3)
        for turn in range(2 + (voter + statement) % 4)
    ]
    return [polis(folder / "c", votes, {n: f"Statement {n}" for n in range(3)})]


SOURCES = {"pabulib": files, "polis": conversation}


def outcome(ledger: Ledger) -> Any:
    """The numbers of events by type, and what the read models say."""
    kinds = Counter(one["type"] for one in ledger.entries())
    ids = [one["id"] for one in ledger.entries()]
    assert len(set(ids)) == len(ids)
    with ledger.opened() as (system, run):
        run.caught_up()
        tallies = [one.model_dump(exclude={"position"}) for one in system.queries.tallies()]
        decisions = [
            system.queries.decision(one["question"]).model_dump(exclude={"position"})
            for one in tallies
        ]
    return kinds, sorted(tallies, key=lambda one: one["question"]), decisions


def kill_at(ledger: Ledger, head: int, command: list[str]) -> None:
    """Start the import, and kill it as soon as the log holds so many events."""
    process = subprocess.Popen(command, env=ledger.environment, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    try:
        while process.poll() is None and _head(ledger) < head:
            assert time.monotonic() < until
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()


def _head(ledger: Ledger) -> int:
    try:
        return ledger.head() if (ledger.folder / "log.sqlite").exists() else 0
    except sqlite3.OperationalError:  # it is being made
        return 0


@pytest.mark.parametrize("kind", ["pabulib", "polis"])
def test_killed_and_imported_again(kind: str, tmp_path: Path) -> None:
    paths = SOURCES[kind](tmp_path / "files")
    program = [sys.executable, "-c", SMALL_BATCHES, "import", kind, *map(str, paths)]
    whole = Ledger(tmp_path / "whole")
    whole.folder.mkdir()
    assert whole.run("import", kind, *paths).exit_code == 0
    expected = outcome(whole)
    last = whole.head()
    reached = []
    for part in (1, 150, 310, 400, last - 150, last - 3):
        killed = Ledger(tmp_path / f"killed-{part}")
        killed.folder.mkdir()
        kill_at(killed, part, program)
        reached.append(killed.head())
        kill_at(killed, (reached[-1] + last) // 2, program)
        ran = killed.run("import", kind, *paths, "--check")
        assert ran.exit_code == 0, ran.errors
        assert outcome(killed) == expected
    assert reached[0] < 150 <= reached[1] < last  # it was killed while at work
