"""The ledger gathers cosignatures from real witnesses: some are down, slow, behind or lie."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ledger.eventlog.memory import MemoryLog
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.errors import Unverified
from ledger.transparency.keys import SignatureType, SigningKey, VerifierKey
from ledger.transparency.note import parse_note
from ledger.transparency.policy import Group, Party, Policy, k_of
from ledger.transparency.witnessing import parse_submission
from projections.tree.worker import TreeWorker
from services.witnesses import HttpWitnesses
from tests.audit.go import build, verdict
from tests.integration.witnessing import Answer, RealWitness, answering, witness
from tests.publishing import KEY, append, check_files, published, worker_on

LIAR = SigningKey("liar.example/w", bytes(range(32)), SignatureType.COSIGNATURE)
TEXT = "text/plain"


def policy_of(threshold: int, parties: Sequence[tuple[VerifierKey, str]]) -> Policy:
    named = {f"w{n}": Party(key, url) for n, (key, url) in enumerate(parties, 1)}
    if threshold == 0:
        return Policy((), named)
    return Policy((), named, {"enough": Group(threshold, tuple(named))}, "enough")


@contextmanager
def three(folder: Path) -> Iterator[list[RealWitness]]:
    with ExitStack() as stack:
        yield [stack.enter_context(witness(folder, name)) for name in ("a", "b", "c")]


@contextmanager
def witnessed(
    folder: Path, log: MemoryLog, policy: Policy, timeout: float = 5.0
) -> Iterator[TreeWorker]:
    witnesses = HttpWitnesses(policy, timeout)
    try:
        yield worker_on(log, folder / "public", witnesses=witnesses)
    finally:
        witnesses.close()


def cosigners(folder: Path, keys: Sequence[VerifierKey]) -> int:
    """By how many of these the published checkpoint is cosigned."""
    data = (folder / "public/checkpoint").read_bytes()
    for count in range(len(keys), 0, -1):
        try:
            return len(open_checkpoint(data, [KEY.verifier], k_of(count, keys)).cosignatures)
        except Unverified:
            continue
    return 0


def test_two_of_three_while_they_come_and_go(tmp_path: Path) -> None:
    log = MemoryLog()
    append(log, 3)
    with three(tmp_path) as (a, b, c):
        parties = [(one.key, one.url) for one in (a, b, c)]
        keys = [one.key for one in (a, b, c)]
        with witnessed(tmp_path, log, policy_of(2, parties)) as worker:
            worker.catch_up()
            assert check_files(tmp_path / "public", log).size == 3
            assert cosigners(tmp_path, keys) == 3
            assert worker.status.missing == {}

            c.kill()
            append(log, 300)
            worker.catch_up()
            assert published(tmp_path / "public").size == 303
            assert cosigners(tmp_path, keys) == 2
            assert worker.status.missing == {"w3": "cannot be reached: ConnectionRefusedError"}

            b.kill()
            append(log, 1)
            worker.catch_up()
            held = worker.status.held_back
            assert held is not None
            assert "of 3 witnesses, 1 cosigned (w1)" in held
            assert (worker.status.published, worker.status.signed) == (303, 304)
            assert published(tmp_path / "public").size == 303, "the last cosigned one stays"

            port = int(b.url.rpartition(":")[2])
            with witness(tmp_path, "b", port):
                append(log, 1)
                worker.catch_up()
                assert worker.status.held_back is None
                assert published(tmp_path / "public").size == 305
                assert cosigners(tmp_path, keys) == 2
    verifier = build(tmp_path)
    known = [part for key in keys for part in ("-witness", key.vkey)]
    said = verdict(
        verifier, "tree", "-vkey", KEY.verifier.vkey, *known, "-quorum", 2, tmp_path / "public"
    )
    assert (said["ok"], said["size"]) == (True, 305), said


def test_a_held_back_checkpoint_is_tried_again_without_new_events(tmp_path: Path) -> None:
    log = MemoryLog()
    append(log, 3)
    with witness(tmp_path, "a") as a:
        parties = [(a.key, a.url)]
        a.kill()
        with witnessed(tmp_path, log, policy_of(1, parties)) as worker:
            stop = threading.Event()
            thread = threading.Thread(target=worker.follow, args=(stop, 0.05))
            thread.start()
            try:
                wait_for(lambda: worker.status.held_back is not None)
                assert not (tmp_path / "public/checkpoint").exists()
                with witness(tmp_path, "a", int(a.url.rpartition(":")[2])):
                    wait_for(lambda: worker.status.published == 3)
            finally:
                stop.set()
                thread.join()
    assert worker.status.held_back is None


def wait_for(condition: object) -> None:
    until = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_witness_that_is_behind_or_new_is_caught_up(tmp_path: Path) -> None:
    log = MemoryLog()
    append(log, 300)
    with witness(tmp_path, "a") as a, witness(tmp_path, "b") as b:
        parties = [(one.key, one.url) for one in (a, b)]
        with witnessed(tmp_path, log, policy_of(1, parties[:1])) as worker:
            worker.catch_up()
        append(log, 7)
        with witnessed(tmp_path, log, policy_of(2, parties)) as worker:  # a at 300, b at 0
            worker.catch_up()
        assert published(tmp_path / "public").size == 307
        assert cosigners(tmp_path, [a.key, b.key]) == 2


def test_a_fork_that_the_true_key_signs_is_not_cosigned(tmp_path: Path) -> None:
    """An event is taken out, all hashes are made anew, and who did it holds the key: a witness finds it out."""
    log, forged = MemoryLog(), MemoryLog()
    append(log, 300)
    append(forged, 100)
    append(forged, 250, "forged")
    with witness(tmp_path, "a") as a:
        policy = policy_of(1, [(a.key, a.url)])
        with witnessed(tmp_path / "true", log, policy) as worker:
            worker.catch_up()
        for size in (350, 300):
            part = MemoryLog()
            part._records = forged._records[:size]
            with witnessed(tmp_path / f"forged-{size}", part, policy) as worker:
                worker.catch_up()
                assert worker.status.published is None
                assert list(worker.status.missing) == ["w1"]
                assert not (tmp_path / f"forged-{size}" / "public/checkpoint").exists()


def cosigned(key: SigningKey, body: bytes, *, text: str | None = None) -> bytes:
    note = parse_note(parse_submission(body).checkpoint)
    return key.cosign(note.text if text is None else text, 1_700_000_000).line.encode()


OTHER = SigningKey("liar.example/w", bytes(32), SignatureType.COSIGNATURE)
LIES: dict[str, tuple[Answer, str]] = {
    "nothing": (lambda _: (200, TEXT, b""), "something else"),
    "words": (lambda _: (200, TEXT, b"yes, of course\n"), "something else"),
    "bytes": (lambda _: (200, TEXT, b"\xff\xfe" * 99), "something else"),
    "the log's own line": (
        lambda body: (200, TEXT, parse_submission(body).checkpoint.split(b"\n\n")[1]),
        "no true cosignature",
    ),
    "another's signature": (lambda body: (200, TEXT, cosigned(OTHER, body)), "no true cosignature"),
    "of another text": (
        lambda body: (200, TEXT, cosigned(LIAR, body, text="another\n1\nx\n")),
        "no true cosignature",
    ),
    "stands nowhere": (lambda _: (409, "text/x.tlog.size", b"many\n"), "something else"),
    "stands where it was asked": (
        lambda body: (409, "text/x.tlog.size", b"%d\n" % parse_submission(body).old_size),
        "another tree of 0 entries",
    ),
    "stands beyond": (lambda _: (409, "text/x.tlog.size", b"999\n"), "more than these 3"),
    "stands elsewhere each time": (
        lambda body: (
            409,
            "text/x.tlog.size",
            b"%d\n" % (2 - parse_submission(body).old_size // 2),
        ),
        "each time|another tree",
    ),
    "no size with 409": (lambda _: (409, TEXT, b"3\n"), "status 409"),
    "an error": (lambda _: (500, TEXT, b"oh"), "status 500"),
    "elsewhere": (lambda _: (302, TEXT, b""), "status 302"),
}


@pytest.mark.parametrize("what", LIES)
def test_a_lie_is_no_cosignature_and_nothing_else_fails(tmp_path: Path, what: str) -> None:
    answer, told = LIES[what]
    log = MemoryLog()
    append(log, 3)
    with answering(answer) as url:
        for threshold in (0, 1):
            policy = policy_of(threshold, [(LIAR.verifier, url)])
            with witnessed(tmp_path / str(threshold), log, policy) as worker:
                worker.catch_up()
                assert told_of(worker, told)
                assert (worker.status.held_back is None) is (threshold == 0)
    assert b"liar" not in (tmp_path / "0/public/checkpoint").read_bytes()


def told_of(worker: TreeWorker, told: str) -> bool:
    reason = worker.status.missing["w1"]
    assert any(one in reason for one in told.split("|")), reason
    return True


def test_an_honest_one_passes_the_same_test(tmp_path: Path) -> None:
    log = MemoryLog()
    append(log, 3)
    with answering(lambda body: (200, TEXT, cosigned(OTHER, body) + cosigned(LIAR, body))) as url:
        policy = policy_of(1, [(LIAR.verifier, url)])
        with witnessed(tmp_path, log, policy) as worker:
            worker.catch_up()
    assert cosigners(tmp_path, [LIAR.verifier]) == 1
    assert (tmp_path / "public/checkpoint").read_bytes().count(b"liar") == 1, "unknown ones go"


def test_one_that_hangs_keeps_nobody_up(tmp_path: Path) -> None:
    log, let_go = MemoryLog(), threading.Event()
    append(log, 3)

    def hang(_: bytes) -> tuple[int, str, bytes]:
        let_go.wait(20)
        return 500, TEXT, b""

    with (
        answering(lambda body: (200, TEXT, cosigned(LIAR, body))) as url,
        answering(hang) as slow,
    ):
        hangs = SigningKey("slow.example/w", bytes([7] * 32), SignatureType.COSIGNATURE).verifier
        parties = [(LIAR.verifier, url), (hangs, slow)]
        try:
            with witnessed(tmp_path / "enough", log, policy_of(1, parties), 10.0) as worker:
                for count in (0, 1, 1):
                    append(log, count)
                    started = time.monotonic()
                    worker.catch_up()
                    assert time.monotonic() - started < 2
                assert worker.status.published == 5
                assert "yet" in worker.status.missing["w2"], "it is not asked anew meanwhile"
            with witnessed(tmp_path / "two", log, policy_of(2, parties), 0.3) as worker:
                started = time.monotonic()
                worker.catch_up()
                assert 0.25 < time.monotonic() - started < 3
                assert worker.status.held_back is not None
                assert (
                    "within 0.3 s" in worker.status.missing["w2"]
                    or "in time" in worker.status.missing["w2"]
                )
        finally:
            let_go.set()


def test_a_witness_without_an_address_cannot_be_asked(tmp_path: Path) -> None:
    log = MemoryLog()
    for url in (None, "witness.example", "file:///x"):
        policy = Policy((), {"w1": Party(LIAR.verifier, url)})
        with witnessed(tmp_path / str(url)[:3], log, policy) as worker:
            worker.catch_up()
            assert "no address" in worker.status.missing["w1"]
