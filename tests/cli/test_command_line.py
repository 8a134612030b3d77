"""The command line as a person meets it: help, errors, JSON, exit codes."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest

from projections.catalogue import all_projections

PROGRAM = "from services.cli.main import main; main()"
ROOT = Path(__file__).parents[2]

ROLL = """identity,home
anna,pl/city
ben,pl/city
"""
CONVERSATION = {
    "comments.csv": "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\n"
    "1,x,0,9,1,1,1,More trees\n",
    "votes.csv": "timestamp,datetime,comment-id,voter-id,vote\n1000000000001,x,0,1,1\n1000000000002,x,0,2,-1\n"
    "1000000000003,x,0,3,0\n1000000000004,x,0,2,1\n",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    places = {
        name: f"sqlite:///{tmp_path}/{name.lower()}.sqlite" for name in ("LOG", "STORE", "VAULT")
    }
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **{f"CIVIC_{name}": url for name, url in places.items()},
    }


def civic_ledger(
    environment: dict[str, str], *arguments: str, exit_code: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def conversation(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment of a ledger that holds a conversation of three people on one statement."""
    folder = tmp_path / "trees"
    folder.mkdir()
    for name, content in CONVERSATION.items():
        (folder / name).write_text(content)
    civic_ledger(environment, "import", "polis", str(folder))
    return environment


def test_every_command_has_a_help_text(environment: dict[str, str]) -> None:
    listed = civic_ledger(environment, "--help").stdout
    commands = re.findall(r"^  ([a-z]+) {2,}\S", listed.partition("Commands:")[2], re.MULTILINE)
    assert set(commands) >= {
        "serve", "import", "tally", "decision", "citizen", "area", "project", "digest", "export",
    }  # fmt: skip
    for command in commands:
        told = civic_ledger(environment, command, "--help").stdout
        assert "--help" in told


def test_a_tally_is_json_with_just_these_fields(conversation: dict[str, str]) -> None:
    tally = json.loads(civic_ledger(conversation, "tally", "polis/trees/0", "--json").stdout)
    assert tally.pop("position") > 0
    assert tally == {
        "question": "polis/trees/0",
        "title": "More trees",
        "area": tally["area"],
        "method": "agreement",
        "voters": 3,
        "options": [
            {
                "id": "statement",
                "title": "More trees",
                "count": 3,
                "total": 2,
                "by_mark": {"0": 1, "1": 2},
            }
        ],
    }
    there = civic_ledger(conversation, "tally", "polis/trees/0", "--area", tally["area"], "--json")
    assert json.loads(there.stdout)["voters"] == 3


def test_tallies_are_exported_as_csv_and_json_with_the_same_numbers(
    conversation: dict[str, str],
) -> None:
    text = civic_ledger(conversation, "export", "tallies", "--format", "csv").stdout
    (row,) = csv.DictReader(StringIO(text))
    (tally,) = json.loads(
        civic_ledger(conversation, "export", "tallies", "--format", "json").stdout
    )
    (option,) = tally["options"]
    assert row["question"] == tally["question"] == "polis/trees/0"
    assert int(row["voters"]) == tally["voters"]
    assert (int(row["count"]), int(row["total"])) == (option["count"], option["total"])
    assert json.loads(row["by_mark"]) == option["by_mark"]


def test_the_other_reading_commands(conversation: dict[str, str]) -> None:
    decision = json.loads(civic_ledger(conversation, "decision", "polis/trees/0", "--json").stdout)
    assert (decision["rule"], decision["adopted"], decision["tied"]) == (None, [], [])
    citizen = civic_ledger(conversation, "citizen", "--identity", "polis/trees/2", "--json")
    (choice,) = json.loads(citizen.stdout)["choices"]
    assert choice["marks"] == {"statement": 1}
    areas = json.loads(civic_ledger(conversation, "tally", "polis/trees/0", "--json").stdout)[
        "area"
    ]
    area = json.loads(civic_ledger(conversation, "area", areas, "--json").stdout)
    assert area["roll"] == 3
    for command in (
        ["tally", "polis/trees/0"],
        ["decision", "polis/trees/0"],
        ["area", areas],
        ["digest"],
    ):
        assert civic_ledger(conversation, *command).stdout


def test_project_and_digest_are_repeatable(conversation: dict[str, str], tmp_path: Path) -> None:
    positions = json.loads(civic_ledger(conversation, "project", "--once", "--json").stdout)
    digests = json.loads(civic_ledger(conversation, "digest", "--json").stdout)
    assert set(digests) == set(positions) == {one.name for one in all_projections()}
    elsewhere = {**conversation, "CIVIC_STORE": f"sqlite:///{tmp_path}/rebuilt.sqlite"}
    assert json.loads(civic_ledger(elsewhere, "digest", "--json").stdout) == digests
    flag = ("--store", f"sqlite:///{tmp_path}/by-flag.sqlite")
    assert json.loads(civic_ledger(conversation, "digest", "--json", *flag).stdout) == digests


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (("tally", "nothing"), 1, "There is no question 'nothing'"),
        (("tally", "polis/trees/0", "--area", "pl/nowhere"), 1, "There is no area 'pl/nowhere'"),
        (("decision", "nothing"), 1, "There is no question"),
        (("area", "pl/nowhere"), 1, "There is no area"),
        (("citizen", "--identity", "nobody"), 1, "nobody by this identity"),
        (("citizen",), 2, "identity"),
        (("export", "tallies", "--format", "xml"), 2, "xml"),
        (("digest", "--log", "postgres://x"), 2, "CIVIC_LOG: give 'memory:', or sqlite:///"),
        (("no-such-command",), 2, "no-such-command"),
    ],
)
def test_errors_say_what_is_wrong(
    conversation: dict[str, str], arguments: tuple[str, ...], exit_code: int, told: str
) -> None:
    assert told in civic_ledger(conversation, *arguments, exit_code=exit_code).stderr


def test_a_damaged_log_is_refused_with_how_to_restore_it(
    conversation: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log.sqlite"
    content = bytearray(log.read_bytes())
    content[:64] = b"\0" * 64
    log.write_bytes(content)
    told = civic_ledger(conversation, "project", "--once", exit_code=3).stderr
    assert str(log) in told
    assert "last good copy" in told


def test_help_comes_quickly(environment: dict[str, str]) -> None:
    """Heavy libraries are imported when they are needed: none of them by `--help`."""
    code = f"import sys; sys.argv = ['x', '--help']\ntry:\n    {PROGRAM}\nexcept SystemExit: pass\n"
    heavy = "print([m for m in ('fastapi', 'uvicorn', 'pabutools', 'pref_voting', 'rich') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code + heavy],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.rstrip().endswith("[]")


def test_project_follows_the_log_until_it_is_told_to_stop(conversation: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "project"],
        env=conversation,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "citizen" in process.stdout.readline()
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    assert process.wait(timeout=20) == 0
