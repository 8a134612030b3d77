"""Too large a body ends before it is read whole, by the bytes on a real connection."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.process import Server, serving

LIMIT = 262_144
"""The default of the setting."""

CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
PATHS = ("/api/v1/commands/define-area", "/api/v1/questions/q/choice")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("oversized")
    with serving(folder) as found:
        yield found


@pytest.fixture
def connection(server: Server) -> Iterator[socket.socket]:
    port = int(server.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as found:
        yield found


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return next(line.rpartition(": ")[2] for line in server.said if "token" in line)


def head(method: str, path: str, token: str, *more: str) -> bytes:
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: ledger",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        *more,
    )
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n"


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """The status and all that comes until the other side closes."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:  # it closed while more was on its way
        pass
    return int(received.split(b" ", 2)[1]), received


def test_a_length_that_is_too_large_is_refused_unread(
    connection: socket.socket, token: str
) -> None:
    length = f"Content-Length: {LIMIT + 1}"
    connection.sendall(head("POST", PATHS[0], token, length))
    status, received = answer(connection)  # comes, and ends, although no byte of the body was sent
    assert status == 413
    assert b"/problems/body-too-large" in received
    assert b"connection: close" in received.lower()


@pytest.mark.parametrize("path", PATHS)
def test_a_body_without_an_announced_end_is_cut_off(
    connection: socket.socket, token: str, path: str
) -> None:
    method = "POST" if "commands" in path else "PUT"
    # The short route is for citizens and, with an identity, for the operator: both read the body.
    connection.sendall(head(method, path, token, "Transfer-Encoding: chunked"))
    sent = 0
    try:
        while sent < 100 * LIMIT:
            connection.sendall(CHUNK)
            sent += 0x4000
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass
    assert sent < 40 * LIMIT, "it went on taking the body in"
    connection.close()


def test_the_answer_comes_as_soon_as_it_is_too_much(connection: socket.socket, token: str) -> None:
    connection.sendall(head("POST", PATHS[0], token, "Transfer-Encoding: chunked"))
    for _ in range(LIMIT // 0x4000 + 1):
        connection.sendall(CHUNK)
    status, received = answer(connection)  # the body has not ended
    assert status == 413
    assert b"/problems/body-too-large" in received


def test_a_body_that_nobody_reads_is_not_taken_in_either(connection: socket.socket) -> None:
    connection.sendall(head("POST", PATHS[0], "wrong", "Transfer-Encoding: chunked") + CHUNK)
    status, received = answer(connection)
    assert status == 401
    assert b"connection: close" in received.lower()


def test_a_chunked_body_within_the_limit_is_taken(connection: socket.socket, token: str) -> None:
    body = b'{"area":"t","name":"Town"}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    headers = head("POST", PATHS[0], token, "Transfer-Encoding: chunked", "Connection: close")
    connection.sendall(headers + chunked)
    assert answer(connection)[0] == 201
