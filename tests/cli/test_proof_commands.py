"""`civic-ledger tree`, `keys`, `attestations`, and a key that no line of any output ever holds."""

import json
import re
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ledger.codec import decode
from ledger.domain.transparency import KeyRotated
from ledger.eventlog.port import EVERYTHING
from ledger.eventlog.sqlite import SQLiteLog
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.keys import SigningKey, VerifierKey
from projections.attestations import attestable
from projections.catalogue import all_projections
from tests.cli.test_command_line import civic_ledger
from tests.http.process import PROGRAM, environment, serving
from tests.publishing import check_files

VKEY = re.compile(r"ledger\.example/civic\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n")


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path)


def define(variables: dict[str, str], folder: Path, *areas: str) -> None:
    """Append an event for each area."""
    file = folder / "areas.csv"
    lines = "".join(f"ocd-division/country:{one},{one.upper()}\n" for one in areas)
    file.write_text("id,name\n" + lines)
    civic_ledger(variables, "import", "areas", str(file))


def key_of(variables: dict[str, str]) -> VerifierKey:
    shown = civic_ledger(variables, "keys", "show").stdout
    assert VKEY.fullmatch(shown), "the vkey and nothing else"
    return VerifierKey.parse(shown.rstrip("\n"))


def test_keys_are_generated_shown_rotated_and_retired(
    variables: dict[str, str], tmp_path: Path
) -> None:
    told = civic_ledger(variables, "keys", "show", exit_code=3).stderr
    assert "there is no signing key" in told
    assert not (tmp_path / "signing.key").exists(), "showing makes nothing"
    generated = civic_ledger(variables, "keys", "generate").stdout
    first = key_of(variables)
    assert generated == f"{first.vkey}\n"
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600
    civic_ledger(variables, "keys", "generate", exit_code=3)
    assert key_of(variables) == first
    civic_ledger(variables, "tree", "--once")

    rotated = civic_ledger(variables, "keys", "rotate").stdout
    second = key_of(variables)
    assert rotated == f"{second.vkey}\n"
    assert second != first
    log = SQLiteLog(tmp_path / "log.sqlite")
    (record,) = log.select(EVERYTHING)
    assert decode(record.entry).event == KeyRotated(previous=first.vkey, vkey=second.vkey)
    civic_ledger(variables, "tree", "--once")
    data = (tmp_path / "public/checkpoint").read_bytes()
    for key in (first, second):
        assert open_checkpoint(data, [key]).checkpoint.size == 1, "who trusts either is served"
    assert (tmp_path / "public/vkey").read_text() == rotated

    civic_ledger(variables, "keys", "retire")
    define(variables, tmp_path, "aa")
    civic_ledger(variables, "tree", "--once")
    data = (tmp_path / "public/checkpoint").read_bytes()
    assert data.count("— ".encode()) == 1
    assert check_files(tmp_path / "public", log, second).size == 2
    log.close()


def test_a_rotation_that_was_interrupted_is_ended_and_made_once(
    variables: dict[str, str], tmp_path: Path
) -> None:
    civic_ledger(variables, "keys", "generate")
    first, keys = key_of(variables), tmp_path / "signing.key"
    before = keys.read_text()
    civic_ledger(variables, "keys", "rotate")
    second, waiting = key_of(variables), tmp_path / "signing.key.next"
    for content in (before, keys.read_text()):  # killed before, and after, the file was replaced
        waiting.write_text(keys.read_text().split("\n")[0] + "\n")
        waiting.chmod(0o600)
        keys.write_text(content)
        civic_ledger(variables, "keys", "rotate")
        assert key_of(variables) == second
        assert not waiting.exists()
    assert [SigningKey.parse(line).verifier for line in keys.read_text().split()] == [second, first]
    log = SQLiteLog(tmp_path / "log.sqlite")
    assert log.head() == 1
    log.close()


def test_the_key_may_stand_in_the_environment(variables: dict[str, str], tmp_path: Path) -> None:
    key = SigningKey("ledger.example/civic", bytes(range(32)))
    variables["CIVIC_SIGNING_KEY"] = key.skey
    assert key_of(variables) == key.verifier
    civic_ledger(variables, "tree", "--once")
    assert open_checkpoint((tmp_path / "public/checkpoint").read_bytes(), [key.verifier])
    assert not (tmp_path / "signing.key").exists()
    assert "CIVIC_SIGNING_KEY" in civic_ledger(variables, "keys", "rotate", exit_code=3).stderr


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_key_that_others_read_signs_nothing(
    variables: dict[str, str], tmp_path: Path, mode: int
) -> None:
    civic_ledger(variables, "keys", "generate")
    (tmp_path / "signing.key").chmod(mode)
    for command in (("keys", "show"), ("keys", "rotate"), ("tree", "--once")):
        told = civic_ledger(variables, *command, exit_code=3)
        assert "chmod 600" in told.stderr
        check_silent(tmp_path, told.stdout, told.stderr)


def check_silent(folder: Path, *texts: str) -> None:
    for line in (folder / "signing.key").read_text().split():
        secret = line.split("+", 4)[4]
        assert len(secret) > 40
        for text in texts:
            assert secret[:10] not in text
            assert "PRIVATE" not in text


def test_tree_once_brings_the_folder_up_to_date(variables: dict[str, str], tmp_path: Path) -> None:
    define(variables, tmp_path, "aa", "ab")
    told = json.loads(civic_ledger(variables, "tree", "--once", "--json").stdout)
    assert told == {"published": 2, "signed": 2, "held_back": None}
    log = SQLiteLog(tmp_path / "log.sqlite")
    check_files(tmp_path / "public", log, key_of(variables))
    variables["CIVIC_PUBLIC"] = str(tmp_path / "elsewhere")
    civic_ledger(variables, "tree", "--once")
    check_files(tmp_path / "elsewhere", log, key_of(variables))
    (tmp_path / "elsewhere/tile/entries/000.p/2").unlink()
    civic_ledger(variables, "tree", "--once", "--rewrite", "--public", str(tmp_path / "elsewhere"))
    check_files(tmp_path / "elsewhere", log, key_of(variables))
    log.close()


def test_tree_follows_the_log_until_it_is_told_to_stop(
    variables: dict[str, str], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "tree"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "checkpoint of 0 entries" in process.stdout.readline()
        define(variables, tmp_path, "aa")
        until = time.monotonic() + 10
        while "\n1\n" not in (tmp_path / "public/checkpoint").read_text():
            assert time.monotonic() < until
            time.sleep(0.02)
        process.terminate()
        said, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        check_silent(tmp_path, said, errors)
    finally:
        process.kill()


def test_a_log_that_was_changed_is_refused_with_the_position(
    variables: dict[str, str], tmp_path: Path
) -> None:
    define(variables, tmp_path, "aa", "ab", "ac")
    civic_ledger(variables, "tree", "--once")
    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        log.execute("DROP TRIGGER no_record_changes")
        (entry,) = log.execute("SELECT entry FROM records WHERE position = 2").fetchone()
        log.execute("UPDATE records SET entry = ? WHERE position = 2", (entry + b" ",))
    told = civic_ledger(variables, "tree", "--once", exit_code=3).stderr
    assert "they part at position 2" in told


def test_too_few_witnesses_are_told_and_exit_with_1(
    variables: dict[str, str], tmp_path: Path
) -> None:
    key = civic_ledger(
        variables, "witness", "show", "--name", "w.example/1", "--key", str(tmp_path / "w.key")
    ).stdout.strip()
    policy = tmp_path / "policy"
    policy.write_text(f"witness w1 {key} http://127.0.0.1:9\nquorum w1\n")
    variables["CIVIC_WITNESS_POLICY"] = str(policy)
    told = civic_ledger(variables, "tree", "--once", exit_code=1).stdout
    assert "held back" in told
    assert not (tmp_path / "public/checkpoint").exists()
    policy.write_text("quorum w1\n")
    told = civic_ledger(variables, "tree", "--once", exit_code=3).stderr
    assert "policy, line 1" in told
    policy.write_text("quorum none\n")
    civic_ledger(variables, "tree", "--once")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--name", "w 1", "--log-vkey", "x"), "not a key's name"),
        (("--name", "w", "--log-vkey", "x"), "verifier key"),
        (("--name", "w"), "at least one log"),
        (("--name", "w", "--policy", "/nowhere"), "does not exist"),
    ],
)
def test_a_witness_that_is_not_told_enough_does_not_start(
    variables: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    files = ("--key", str(tmp_path / "w.key"), "--state", str(tmp_path / "w.sqlite"))
    said = civic_ledger(variables, "witness", "serve", *arguments, *files, exit_code=2).stderr
    assert told in " ".join(said.replace("│", " ").split())


def test_attested_digests_are_those_of_a_replay_until_a_read_model_is_changed(
    variables: dict[str, str], tmp_path: Path
) -> None:
    define(variables, tmp_path, "aa", "ab")
    found = json.loads(civic_ledger(variables, "attestations", "--now", "--json").stdout)
    models = {one.name for one in attestable(all_projections())}
    assert {one["model"] for one in found} == models
    assert "citizen" not in models, "no entry says what it holds"
    assert all(one["digest"] == one["replayed"] for one in found)
    assert all(one["position"] == 2 for one in found)
    again = json.loads(civic_ledger(variables, "attestations", "--now", "--json").stdout)
    assert again == found, "attestations alone are nothing to attest"
    define(variables, tmp_path, "ac")
    with sqlite3.connect(tmp_path / "store.sqlite") as store:
        store.execute("UPDATE area_g1 SET name = 'Somewhere' WHERE area = 'aa'")
    said = civic_ledger(variables, "attestations", "--now", exit_code=1).stdout
    assert re.search(
        r"position \d+: area at \d+: FALSE, attested \w{64}, a replay gives \w{64}", said
    )
    assert said.count("as a replay gives it") == 2 * len(models) - 1


def test_a_first_serve_makes_a_key_and_publishes(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        until = time.monotonic() + 10
        while (answer := server.get("/checkpoint")).status_code == 404:
            assert time.monotonic() < until
            time.sleep(0.02)
        key = VerifierKey.parse(server.get("/vkey").text.strip())
        assert open_checkpoint(answer.content, [key]).checkpoint.size == 0
        assert httpx.get(server.address + "/healthz").json()["failing"] == []
        said = server.said
        code, errors = server.stop()
        assert code == 0
    assert key_of(environment(tmp_path)) == key
    check_silent(tmp_path, errors, "\n".join(said))


def test_a_server_without_its_key_says_so_and_serves_on(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    civic_ledger(variables, "keys", "generate")
    civic_ledger(variables, "tree", "--once")
    (tmp_path / "signing.key").rename(tmp_path / "elsewhere")
    with serving(tmp_path) as server:
        until = time.monotonic() + 10
        while "checkpoints" not in server.get("/healthz").json()["failing"]:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert server.get("/healthz").status_code == 503
        assert server.get("/checkpoint").status_code == 200
        (tmp_path / "elsewhere").rename(tmp_path / "signing.key")
        while server.get("/healthz").json()["failing"]:
            assert time.monotonic() < until
            time.sleep(0.02)
        _, errors = server.stop()
    assert "put it back" in errors
    check_silent(tmp_path, errors)
