"""A witness's answers over HTTP, each status of C2SP tlog-witness, and what it never does, whoever asks at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import consistency_proof, leaf_hash, tree_head
from ledger.transparency.note import parse_note, parse_signatures
from ledger.transparency.policy import k_of
from ledger.transparency.witnessing import Submission
from services.witness.store import WitnessStore
from tests.audit.go import build, verdict
from tests.audit.trees import write
from tests.integration.witnessing import RealWitness, witness
from tests.publishing import KEY, ORIGIN

LEAVES = [leaf_hash(b"%d" % n) for n in range(300)]


def nodes(height: int, index: int) -> bytes:
    return tree_head(LEAVES[index << height : (index + 1) << height])


def signed(size: int, *last: bytes) -> bytes:
    head = tree_head([*LEAVES[: size - len(last)], *last])
    return sign_checkpoint(Checkpoint(ORIGIN, size, head), KEY)


def request(old: int, new: int) -> bytes:
    return Submission(old, tuple(consistency_proof(old, new, nodes)), signed(new)).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("witness")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[RealWitness]:
    with witness(folder, "one") as found:
        yield found


def ask(asked: RealWitness, body: bytes) -> httpx.Response:
    return httpx.post(f"{asked.url}/add-checkpoint", content=body, timeout=20)


def test_all_answers(running: RealWitness, folder: Path, tmp_path: Path) -> None:
    first = ask(running, request(0, 5))
    assert first.status_code == 200
    (line,) = parse_signatures(first.text, "cosignatures")
    note = parse_note(signed(5)).signed_too(line)
    assert open_checkpoint(note.encode(), [KEY.verifier], k_of(1, [running.key]))
    verifier = build(tmp_path)
    keys = ("-vkey", KEY.verifier.vkey, "-witness", running.key.vkey, "-quorum", 1)
    file = write(tmp_path / "checkpoint", note.encode())
    assert verdict(verifier, "checkpoint", *keys, file)["size"] == 5

    assert ask(running, request(5, 5)).status_code == 200, "the same again"
    assert ask(running, request(5, 9)).status_code == 200
    behind = ask(running, request(5, 12))
    assert (behind.status_code, behind.text) == (409, "9\n")
    assert behind.headers["content-type"] == "text/x.tlog.size"
    assert ask(running, request(0, 12)).status_code == 409
    for status, body in {
        400: b"old 9\nno checkpoint",
        404: Submission(
            0, (), sign_checkpoint(Checkpoint("x", 1, LEAVES[0]), SigningKey("x", bytes(32)))
        ).encode(),
        403: Submission(
            9, (), sign_checkpoint(Checkpoint(ORIGIN, 9, LEAVES[0]), SigningKey(ORIGIN, bytes(32)))
        ).encode(),
        422: Submission(9, (), signed(12)).encode(),
        413: b"x" * 70_000,
    }.items():
        assert ask(running, body).status_code == status
    above = Submission(13, (), signed(12)).encode()
    assert ask(running, above).status_code == 400
    fork = Submission(9, (), signed(9, b"x" * 32)).encode()
    forked = ask(running, fork)
    assert (forked.status_code, forked.text) == (409, "9\n")

    assert httpx.get(f"{running.url}/add-checkpoint").status_code == 405
    assert httpx.get(f"{running.url}/vkey").text == f"{running.key.vkey}\n"
    store = WitnessStore(folder / "one.sqlite")
    assert store.latest(ORIGIN).size == 9
    assert store.forks(ORIGIN) == [(signed(9), signed(9, b"x" * 32))], "proof that the log lied"
    store.close()


def test_many_at_once_never_take_it_back(tmp_path: Path) -> None:
    """The race of the specification: whatever comes in at once, sizes only grow."""
    with witness(tmp_path, "two") as asked:
        done: list[tuple[int, int]] = []
        barrier = threading.Barrier(6)

        def climb(step: int) -> None:
            with httpx.Client(timeout=30) as client:
                old = 0
                barrier.wait()
                for new in range(step, 200, step):
                    if old > new:  # others have come further
                        continue
                    body = request(old, new)
                    answer = client.post(f"{asked.url}/add-checkpoint", content=body)
                    if answer.status_code == 200:
                        done.append((old, new))
                        old = new
                    elif answer.status_code == 409:
                        old = int(answer.text)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(climb, (1, 2, 3, 5, 7, 11)))
        reached = sorted(done, key=lambda one: one[1])
        moves = [one for one in reached if one[0] != one[1]]
        assert len({old for old, _ in moves}) == len(moves), "from each size at most one step"
        assert all(before[1] == after[0] for before, after in pairwise(moves))


def test_what_was_cosigned_outlives_the_process(tmp_path: Path) -> None:
    with witness(tmp_path, "three") as asked:
        assert ask(asked, request(0, 5)).status_code == 200
        asked.kill()
    with witness(tmp_path, "three") as again:
        assert again.key == asked.key
        assert ask(again, request(0, 5)).text == "5\n"
        assert ask(again, request(5, 6)).status_code == 200
