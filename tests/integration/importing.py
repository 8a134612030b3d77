"""How the tests of imports run them: as the program, or in this process; and small files to bring in."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.assembly import System, assembled
from services.importers.run import Run
from services.settings import Settings

ROOT = Path(__file__).parents[2]
DATA = ROOT / ".." / "shared" / "data"
PROGRAM = "from services.cli.main import main; main()"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs the real ballots of ../shared/data, which are not published"
)


class Ran(NamedTuple):
    """What the program answered."""

    exit_code: int
    out: str
    errors: str

    @property
    def files(self) -> list[dict[str, Any]]:
        """The reports of a call with `--json`."""
        found: list[dict[str, Any]] = json.loads(self.out)["files"]
        return found


class Ledger(NamedTuple):
    """A ledger in a folder of its own, with a log in SQLite or, where its address is given, on Kafka.

    The replica of a log on Kafka stands where the log itself would.
    """

    folder: Path
    kafka: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            **{f"CIVIC_{name.upper()}": url for name, url in self.settings().items()},
        }

    def settings(self) -> dict[str, str]:
        places = {
            name: f"sqlite:///{self.folder}/{name}.sqlite" for name in ("log", "store", "vault")
        }
        if self.kafka is not None:
            places |= {"log": self.kafka, "replica": f"{self.folder}/log.sqlite"}
        return places

    def run(self, *arguments: str | Path, program: str = PROGRAM) -> Ran:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def answer(self, *arguments: str | Path) -> Any:
        ran = self.run(*arguments, "--json")
        assert ran.exit_code == 0, ran.errors
        return json.loads(ran.out)

    def counts(self, question: str) -> dict[str, tuple[int, int]]:
        """The count and the total of every option."""
        tally = self.answer("tally", question)
        return {one["id"]: (one["count"], one["total"]) for one in tally["options"]}

    def entries(self) -> list[dict[str, Any]]:
        with sqlite3.connect(self.folder / "log.sqlite") as log:
            return [
                json.loads(entry)
                for (entry,) in log.execute("SELECT entry FROM records ORDER BY position")
            ]

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [one["data"] for one in self.entries() if one["type"] == f"civic.{type_}.v1"]

    def head(self) -> int:
        with sqlite3.connect(self.folder / "log.sqlite") as log:
            (head,) = log.execute("SELECT coalesce(max(position), 0) FROM records").fetchone()
        return int(head)

    @contextmanager
    def opened(self) -> Iterator[tuple[System, Run]]:
        """The parts, in this process."""
        with assembled(Settings.model_validate(self.settings())) as system:

            def caught_up() -> None:
                system.worker.catch_up()
                system.steward.attend()
                system.worker.catch_up()

            yield system, Run(system.ledger, system.queries, no_progress, caught_up)


@contextmanager
def no_progress(what: str, unit: str) -> Iterator[Callable[[int, int], object]]:
    yield lambda done, of: None


def pb(
    path: Path,
    votes: Sequence[str],
    *,
    columns: str = "voter_id;vote",
    projects: Sequence[str] = ("p;1", "q;2", "r;3"),
    figures: str = "project_id;cost",
    **meta: str,
) -> Path:
    """A Pabulib file of approval ballots in the district Nord of Town, unless `meta` says otherwise."""
    keys = {
        "description": "A vote",
        "country": "Poland",
        "unit": "Town",
        "district": "Nord",
        "instance": "2026",
        "num_projects": str(len(projects)),
        "num_votes": str(len(votes)),
        "budget": "3",
        "vote_type": "approval",
        "rule": "greedy",
    } | meta
    lines = ["META", "key;value", *(f"{key};{value}" for key, value in keys.items() if value)]
    lines += ["PROJECTS", figures, *projects, "VOTES", columns, *votes, ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def line_of(path: Path, row: str) -> int:
    """Where the row stands in the file."""
    return path.read_text(encoding="utf-8").splitlines().index(row) + 1


def polis(
    folder: Path,
    votes: Sequence[tuple[int, int, int, int]],
    statements: Mapping[int, str],
    matrix: str | None = None,
) -> Path:
    """A Polis conversation: votes are (seconds, statement, voter, mark)."""
    folder.mkdir(parents=True, exist_ok=True)
    cast = [f"{1_500_000_000 + second}000,x,{s},{v},{mark}" for second, s, v, mark in votes]
    said = [f'1500000000000,x,{one},0,0,0,1,"{text}"' for one, text in statements.items()]
    comments = "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"
    heads = {"votes": "timestamp,datetime,comment-id,voter-id,vote", "comments": comments}
    for name, rows in (("votes", cast), ("comments", said)):
        (folder / f"{name}.csv").write_text("\n".join([heads[name], *rows, ""]), encoding="utf-8")
    (folder / "summary.csv").write_text("topic,Trees\nurl,https://example.org\n", encoding="utf-8")
    if matrix is not None:
        (folder / "participants-votes.csv").write_text(matrix, encoding="utf-8")
    return folder
