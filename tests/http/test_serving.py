"""`civic-ledger serve`: start, the operator's token, restart, stop, and what is refused."""

import json
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ledger.domain.areas import DefineArea
from services.assembly import assembled
from tests.http.process import PROGRAM, Server, environment, serving
from tests.http.town import settings

TOKEN = re.compile(r"operator's token.*: (\S{43})$")
NEW_AREA = {"area": "t", "name": "Town"}


def operators_token(server: Server) -> str | None:
    found = [match[1] for line in server.said if (match := TOKEN.search(line))]
    assert len(found) <= 1
    return found[0] if found else None


def define_area(server: Server, token: str) -> httpx.Response:
    return httpx.post(
        f"{server.address}/api/v1/commands/define-area",
        json=NEW_AREA,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "first"},
    )


def test_start_restart_and_stop(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        token = operators_token(server)
        assert token is not None
        assert server.address.startswith("http://127.0.0.1:")
        assert server.get("/healthz").json()["status"] == "ok"
        assert define_area(server, token).status_code == 201
        code, errors = server.stop()
    assert code == 0
    assert token not in errors
    for line in errors.splitlines():
        assert json.loads(line)["level"] in ("info", "warning")
    for file in (one for one in tmp_path.rglob("*") if one.is_file()):
        assert token.encode() not in file.read_bytes(), f"{file.name} holds the token itself"
    with serving(tmp_path) as server:
        assert operators_token(server) is None
        again = define_area(server, token)
        assert (again.status_code, again.json()["again"]) == (200, True)
        seen = server.get("/api/v1/areas?wait_for=1").json()
        assert [one["area"] for one in seen["items"]] == ["t"]
        code, _ = server.stop(signal.SIGINT)
    assert code == 0


def test_what_another_process_does_is_seen(tmp_path: Path) -> None:
    with serving(tmp_path) as server, assembled(settings(tmp_path, 4_096)) as other:
        for number in range(20):
            name = "t" if number == 0 else f"t/a{number}"
            position = other.ledger.execute(DefineArea(area=name, name=name)).position
            since = time.monotonic()
            seen = server.get(f"/api/v1/areas?wait_for={position}").json()
            waited = time.monotonic() - since
            assert name in [one["area"] for one in seen["items"]]
            assert waited < 1, "a tenth of a second, on a machine that is not busy with other tests"


def test_a_client_that_goes_away_is_no_error(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        token = operators_token(server)
        port = int(server.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                f"PUT /api/v1/questions/q/choice HTTP/1.1\r\nHost: ledger\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
            )
        while "malformed-json" not in server.get("/metrics").text:
            time.sleep(0.05)
        _, errors = server.stop()
    assert {json.loads(line)["level"] for line in errors.splitlines()} == {"info"}


def test_an_address_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "serve", "--port", str(port)],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert f"127.0.0.1 port {port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_log_is_refused_on_start(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.stop()
    log = tmp_path / "log.sqlite"
    log.write_bytes(b"not a database" * 500)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "put the last good copy" in done.stderr
    assert "Listening" not in done.stdout


def test_an_address_that_others_can_reach_is_warned_of(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as server:
        _, errors = server.stop()
    warnings = [one for one in map(json.loads, errors.splitlines()) if one["level"] == "warning"]
    assert len(warnings) == 1
    assert "which others can reach" in warnings[0]["message"]


@pytest.mark.slow
def test_the_sample_town(tmp_path: Path) -> None:
    with serving(tmp_path, "--sample-town") as server:
        tokens_file = tmp_path / "tokens.json"
        assert stat.S_IMODE(tokens_file.stat().st_mode) == 0o600
        tokens = json.loads(tokens_file.read_text())
        assert any(str(tokens_file) in line for line in server.said)
        citizen = tokens["citizens"][0]["token"]
        mine = httpx.get(
            f"{server.address}/api/v1/citizens/me", headers={"Authorization": f"Bearer {citizen}"}
        )
        assert mine.status_code == 200
        page = httpx.get(server.address, follow_redirects=True)
        assert page.status_code == 200
        events = server.get("/healthz").json()["log"]
        server.stop()
    with serving(tmp_path, "--sample-town") as server:  # it is made once
        assert server.get("/healthz").json()["log"] == events
        assert not any("sample town" in line for line in server.said)
