"""What is asked of a witness, and what it must check (C2SP tlog-witness)."""

import pytest

from ledger.transparency.checkpoint import Checkpoint, sign_checkpoint
from ledger.transparency.errors import Malformed
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import (
    EMPTY_HEAD,
    Frontier,
    consistency_proof,
    leaf_hash,
    tree_head,
)
from ledger.transparency.witnessing import (
    Declined,
    Forked,
    Latest,
    Submission,
    check_extends,
    known_checkpoint,
    parse_submission,
)
from tests.unit.transparency.mutating import check_strict

EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
""".encode()  # noqa: E501
"""The specification's own (add-checkpoint)."""

LOG = SigningKey("ledger.example/x", bytes(range(32)))
LEAVES = [leaf_hash(bytes([n])) for n in range(20)]


def nodes(height: int, index: int) -> bytes:
    return tree_head(LEAVES[index << height : (index + 1) << height])


def checkpoint(size: int, *changed: bytes) -> Checkpoint:
    return Checkpoint(
        "ledger.example/x", size, tree_head([*LEAVES[: size - len(changed)], *changed])
    )


def submission(old: int, new: Checkpoint, key: SigningKey = LOG) -> Submission:
    proof = consistency_proof(old, new.size, nodes) if old <= new.size else []
    return Submission(old, tuple(proof), sign_checkpoint(new, key))


def latest(size: int) -> Latest:
    return Latest(size, checkpoint(size).head) if size else Latest()


def test_the_specifications_example() -> None:
    read = parse_submission(EXAMPLE)
    assert (read.old_size, len(read.proof)) == (20852014, 4)
    assert read.checkpoint.startswith(b"example.com/behind-the-sofa\n20852163\n")
    assert read.encode() == EXAMPLE


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: b"", "no empty line"),
        (lambda data: data.replace(b"\n\n", b"\n"), "no empty line"),
        (lambda data: data.replace(b"old ", b"", 1), "line 1: the old size"),
        (lambda data: data.replace(b"old ", b"old  ", 1), "line 1"),
        (lambda data: data.replace(b"old 2", b"old 02", 1), "line 1"),
        (lambda data: data.replace(b"old 2", b"old -2", 1), "line 1"),
        (lambda data: data.replace(b"old 20852014", b"old 9223372036854775808", 1), "line 1"),
        (lambda data: data.replace(b"kaw=\n", b"kaw\n", 1), "line 2"),
        (lambda data: data.replace(b"kaw=\n", b"kax=\n", 1), "line 2"),
        (lambda data: data.replace(b"/6WV", b"6WV", 1), "line 5"),
        (lambda data: data.replace(b"\n", b"\r\n", 1), "control character"),
        (lambda data: data.replace(b"old", b"\xff", 1), "not UTF-8"),
        (lambda data: data[:-1], "newline"),
        (lambda data: data.replace(b"20852163", b"+20852163"), "checkpoint, line 2"),
        (lambda data: data[: data.index("—".encode())], "note|blank|newline"),
        (
            lambda data: data.replace(
                b"\nPlRN", b"\n" + b"PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" * 60 + b"PlRN"
            ),
            "64 hashes",
        ),
    ],
)
def test_what_is_not_a_request_is_refused(change: object, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        parse_submission(change(EXAMPLE))  # type: ignore[operator]


def test_every_change_of_a_request_means_something_else_or_is_refused() -> None:
    data = Submission(1, (bytes(32),), sign_checkpoint(checkpoint(2), LOG)).encode()
    check_strict(data, parse_submission, Submission.encode)


def test_a_known_log_is_accepted() -> None:
    new = checkpoint(7)
    keys = [SigningKey("another", bytes(32)).verifier, LOG.verifier]
    assert known_checkpoint(submission(3, new), keys) == new


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (submission(3, checkpoint(7)._replace(origin="y"), SigningKey("y", bytes(32))), 404),
        (submission(3, checkpoint(7), SigningKey("ledger.example/x", bytes(32))), 403),
        (submission(8, checkpoint(7)), 400),
    ],
)
def test_a_stranger_a_forgery_and_a_step_back(request_: Submission, status: int) -> None:
    with pytest.raises(Declined) as declined:
        known_checkpoint(request_, [LOG.verifier])
    assert (declined.value.status, declined.value.size) == (status, None)


def test_a_forgery_that_names_the_true_key_is_refused() -> None:
    true = submission(3, checkpoint(7))
    false = true._replace(checkpoint=true.checkpoint.replace(b"\n7\n", b"\n8\n"))
    with pytest.raises(Declined) as declined:
        known_checkpoint(false, [LOG.verifier])
    assert declined.value.status == 403


@pytest.mark.parametrize("old", range(8))
def test_what_extends_the_latest_is_accepted(old: int) -> None:
    for size in range(old, 20):
        new = checkpoint(size) if size else Checkpoint("ledger.example/x", 0, EMPTY_HEAD)
        check_extends(submission(old, new), new, latest(old))


@pytest.mark.parametrize(
    ("stands", "request_", "status", "size"),
    [
        (5, submission(3, checkpoint(7)), 409, 5),
        (0, submission(3, checkpoint(7)), 409, 0),
        (8, submission(3, checkpoint(7)), 409, 8),
        (3, submission(3, checkpoint(7))._replace(proof=()), 422, None),
        (3, submission(3, checkpoint(7, b"x" * 32)), 422, None),
        (0, submission(0, checkpoint(7))._replace(proof=(bytes(32),)), 422, None),
        (7, submission(7, checkpoint(7))._replace(proof=(bytes(32),)), 422, None),
    ],
)
def test_what_does_not_extend_it_is_declined(
    stands: int, request_: Submission, status: int, size: int | None
) -> None:
    new = known_checkpoint(request_, [LOG.verifier])
    with pytest.raises(Declined) as declined:
        check_extends(request_, new, latest(stands))
    assert (declined.value.status, declined.value.size) == (status, size)
    assert not isinstance(declined.value, Forked)


def test_two_heads_of_one_size_are_a_fork() -> None:
    new = checkpoint(7, b"x" * 32)
    with pytest.raises(Forked) as declined:
        check_extends(submission(7, new), new, latest(7))
    assert (declined.value.status, declined.value.size) == (409, 7)


def test_the_helper_of_these_tests_makes_true_heads() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:7])
    assert checkpoint(7).head == frontier.head()
