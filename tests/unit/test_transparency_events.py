"""What the ledger says of itself: rotations of the checkpoint key, and digests of read models."""

import pytest
from pydantic import ValidationError

from ledger.domain.refusals import Reason
from ledger.domain.transparency import AttestDigest, DigestAttested, KeyRotated, RotateKey
from ledger.transparency.keys import SignatureType, SigningKey
from tests.unit.domain import Refusal, each, given, happened

ONE, TWO, THREE = (SigningKey("ledger.example/x", bytes([n] * 32)).verifier.vkey for n in (1, 2, 3))
FIRST = RotateKey(previous=ONE, vkey=TWO)


def attest(position: int, version: int = 1, model: str = "area") -> AttestDigest:
    return AttestDigest(model=model, version=version, position=position, digest="ab" * 32)


REFUSALS = [
    Refusal(
        "from a key that is not the current one",
        [FIRST],
        RotateKey(previous=ONE, vkey=THREE),
        Reason.KEY_NOT_CURRENT,
        "previous",
    ),
    Refusal("to itself", [], RotateKey(previous=ONE, vkey=ONE), Reason.KEY_USED_BEFORE, "vkey"),
    Refusal(
        "back to the first",
        [FIRST],
        RotateKey(previous=TWO, vkey=ONE),
        Reason.KEY_USED_BEFORE,
        "vkey",
    ),
    Refusal("twice", [attest(7)], attest(7), Reason.ALREADY_ATTESTED, "position"),
    Refusal("an earlier position", [attest(7)], attest(6), Reason.ALREADY_ATTESTED, "position"),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def test_a_key_follows_another() -> None:
    tag = "ledger:checkpoint-key"
    given().when(FIRST).then(happened(KeyRotated(previous=ONE, vkey=TWO), tag))
    second = RotateKey(previous=TWO, vkey=THREE)
    given(FIRST).when(second).then(happened(KeyRotated(previous=TWO, vkey=THREE), tag))


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "ledger.example/x",
        ONE[:-2],
        ONE.replace("5580c2cf", "5580c2ce"),
        SigningKey("w", bytes(32), SignatureType.COSIGNATURE).verifier.vkey,
        SigningKey("x", bytes(32)).skey,
    ],
)
def test_a_key_is_one_of_a_log_as_it_is_published(vkey: str) -> None:
    with pytest.raises(ValidationError):
        RotateKey(previous=ONE, vkey=vkey)


def test_a_digest_is_attested_and_a_later_one_too() -> None:
    event = DigestAttested(model="area", version=1, position=7, digest="ab" * 32)
    given(attest(3)).when(attest(7)).then(happened(event, "model:area"))


def test_each_model_and_each_version_is_attested_for_itself() -> None:
    assert given(attest(9)).when(attest(7, model="question")).event
    assert given(attest(9)).when(attest(7, version=2)).event
