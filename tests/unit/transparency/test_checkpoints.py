"""Checkpoints, policies of witnesses, and proofs that are verified without asking anybody."""

import pytest

from ledger.transparency.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import (
    EMPTY_HEAD,
    inclusion_proof,
    leaf_hashes,
    tree_head,
)
from ledger.transparency.note import Note, parse_note
from ledger.transparency.policy import NO_WITNESSES, k_of
from ledger.transparency.proof import LogProof, parse_proof, verify_proof
from tests.unit.transparency.mutating import check_strict
from tests.unit.transparency.vectors import (
    CHECKPOINT_LINE,
    CHECKPOINT_TEXT,
    LOG,
    PROOF_HEAD,
    WITNESS_LINE,
    WITNESSES,
)

ENTRIES = [b"entry %d" % n for n in range(9)]
LEAVES = leaf_hashes(ENTRIES)
CHECKPOINT = Checkpoint(LOG.verifier.name, 9, tree_head(LEAVES))
SIGNED = sign_checkpoint(CHECKPOINT, LOG)
WITNESS_KEYS = [one.verifier for one in WITNESSES]


def cosigned(*witnesses: int) -> bytes:
    note = parse_note(SIGNED)
    for number in witnesses:
        note = note.signed_too(WITNESSES[number].cosign(note.text, 1_700_000_000 + number))
    return note.encode()


def proof_of(index: int, checkpoint: bytes = SIGNED, extra: bytes | None = None) -> LogProof:
    def read(height: int, at: int) -> bytes:
        return tree_head(LEAVES[at << height : (at + 1) << height])

    return LogProof(index, tuple(inclusion_proof(index, 9, read)), checkpoint, extra)


# Checkpoints


def text_of(checkpoint: Checkpoint) -> bytes:
    return checkpoint.text.encode("latin-1")


@pytest.mark.parametrize("text", [CHECKPOINT_TEXT, CHECKPOINT_TEXT + "extension\nand another\n"])
def test_checkpoints_are_written_as_they_were(text: str) -> None:
    check_strict(text.encode(), lambda data: parse_checkpoint(data.decode("latin-1")), text_of)


def test_the_example_of_the_specification() -> None:
    read = parse_checkpoint(CHECKPOINT_TEXT)
    assert (read.origin, read.size, read.extensions) == (
        "example.com/behind-the-sofa",
        20852163,
        (),
    )
    assert read.head.hex().startswith("0ac5186a91863e8e")


def test_the_checkpoint_of_an_empty_log() -> None:
    signed = sign_checkpoint(Checkpoint(LOG.verifier.name, 0, EMPTY_HEAD), LOG)
    assert open_checkpoint(signed, [LOG.verifier]).checkpoint.size == 0
    with pytest.raises(Malformed, match="line 3: this is not the head of an empty tree"):
        sign_checkpoint(Checkpoint(LOG.verifier.name, 0, bytes(32)), LOG)


HEAD_LINE = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not end in a newline"),
        (f"a\n1\n{HEAD_LINE}", "does not end in a newline"),
        ("a\n1\n", "has 2 lines"),
        (f"\n1\n{HEAD_LINE}\n", "line 1: the line is empty"),
        (f"a\n1\n{HEAD_LINE}\n\n", "line 4: the line is empty"),
        *(
            (f"a\n{size}\n{HEAD_LINE}\n", "line 2: .* is not a whole number")
            for size in (
                "01",
                "00",
                "+1",
                "-1",
                " 1",
                "1 ",
                "1_0",
                "0x1",
                "1.0",
                "\u0661",
                "9" * 30,
                2**63,
            )
        ),
        (f"a\n1\n{HEAD_LINE[:-1]}\n", "line 3: .* Base64"),
        (f"a\n1\n{HEAD_LINE} \n", "line 3: .* Base64"),
        ("a\n1\nAAAA\n", "line 3: a hash has 32 bytes, not 3"),
        (f"a\n1\n{HEAD_LINE.replace('I=', 'J=')}\n", "line 3: .* canonical Base64"),
    ],
)
def test_checkpoints_that_are_none(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_checkpoint(text)


def test_only_a_checkpoint_is_signed() -> None:
    for wrong in (
        CHECKPOINT._replace(size=-1),
        CHECKPOINT._replace(head=b"short"),
        CHECKPOINT._replace(extensions=("",)),
        CHECKPOINT._replace(extensions=("a\nb",)),
        CHECKPOINT._replace(size=2**63),
    ):
        with pytest.raises(Malformed):
            sign_checkpoint(wrong, LOG)
    with pytest.raises(ValueError, match="does not sign for"):
        sign_checkpoint(CHECKPOINT._replace(origin="another.example"), LOG)


def test_a_checkpoint_is_opened_with_its_log_s_key_only() -> None:
    opened = open_checkpoint(SIGNED, [LOG.verifier])
    assert opened.checkpoint == CHECKPOINT
    assert opened.note.encode() == SIGNED
    assert opened.cosignatures == {}
    other = SigningKey(LOG.verifier.name, bytes(32)).verifier
    with pytest.raises(Unverified, match="none of the known keys"):
        open_checkpoint(SIGNED, [other])
    with pytest.raises(Unverified, match="none of the known keys"):
        open_checkpoint(SIGNED, [])
    with pytest.raises(ValueError, match="type 0x01"):
        open_checkpoint(SIGNED, WITNESS_KEYS)


def test_a_log_signs_in_its_own_name_only() -> None:
    stranger = SigningKey("stranger.example", bytes(32))
    signed = Note(CHECKPOINT.text, (stranger.sign(CHECKPOINT.text),)).encode()
    with pytest.raises(Unverified, match=r"no known key of log\.example/town"):
        open_checkpoint(signed, [stranger.verifier, LOG.verifier])


def test_two_keys_while_a_log_changes_them() -> None:
    new = SigningKey(LOG.verifier.name, bytes([9] * 32))
    signed = sign_checkpoint(CHECKPOINT, LOG, new)
    for key in (LOG, new):
        assert open_checkpoint(signed, [key.verifier]).checkpoint == CHECKPOINT


def test_the_witnesses_do_not_stand_in_for_the_log() -> None:
    signed = Note(CHECKPOINT.text, (WITNESSES[0].cosign(CHECKPOINT.text, 1),)).encode()
    with pytest.raises(Unverified, match=r"no known key of log\.example/town signed"):
        open_checkpoint(signed, [LOG.verifier], k_of(1, WITNESS_KEYS))


def test_a_quorum_of_witnesses() -> None:
    two = k_of(2, WITNESS_KEYS)
    opened = open_checkpoint(cosigned(0, 2), [LOG.verifier], two)
    assert {key.name: one.time for key, one in opened.cosignatures.items()} == {
        "witness.example/1": 1_700_000_000,
        "witness.example/3": 1_700_000_002,
    }
    with pytest.raises(Unverified, match=r"of 3 witnesses, 1 cosigned \(witness.example/2\)"):
        open_checkpoint(cosigned(1), [LOG.verifier], two)
    with pytest.raises(Unverified, match=r"0 cosigned \(nobody\)"):
        open_checkpoint(SIGNED, [LOG.verifier], two)
    assert open_checkpoint(cosigned(1), [LOG.verifier], NO_WITNESSES).cosignatures == {}


def test_a_false_cosignature_is_found_even_beside_a_quorum() -> None:
    note = parse_note(cosigned(0, 1))
    false = WITNESSES[2].cosign(note.text + "other\n", 1)
    with pytest.raises(Unverified, match=r"witness\.example/3.* is false"):
        open_checkpoint(note.signed_too(false).encode(), [LOG.verifier], k_of(2, WITNESS_KEYS))


# Proofs


def test_the_example_of_the_proof_specification() -> None:
    data = f"{PROOF_HEAD}\n{CHECKPOINT_TEXT}\n{CHECKPOINT_LINE}{WITNESS_LINE}".encode()
    proof = parse_proof(data)
    assert proof.index == 73894
    assert len(proof.hashes) == 5
    assert proof.extra is not None
    assert proof.extra.startswith(b"age-v1.2.1-darwin-arm64.tar.gz")
    assert proof.encode() == data


@pytest.mark.parametrize("extra", [None, b"entry"])
def test_proofs_are_written_as_they_were(extra: bytes | None) -> None:
    check_strict(proof_of(5, extra=extra).encode(), parse_proof, LogProof.encode)


def test_a_proof_of_every_entry() -> None:
    for index, entry in enumerate(ENTRIES):
        proof = parse_proof(proof_of(index, cosigned(0, 1)).encode())
        signed = verify_proof(proof, entry, [LOG.verifier], k_of(2, WITNESS_KEYS))
        assert signed.checkpoint == CHECKPOINT
        with pytest.raises(Unverified, match="does not lead to"):
            verify_proof(proof, entry + b"!", [LOG.verifier])


def test_the_only_entry_of_a_log_needs_no_hashes() -> None:
    checkpoint = Checkpoint(LOG.verifier.name, 1, LEAVES[0])
    proof = LogProof(0, (), sign_checkpoint(checkpoint, LOG))
    assert proof.encode().startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/town\n1\n")
    verify_proof(parse_proof(proof.encode()), ENTRIES[0], [LOG.verifier])


def test_a_proof_is_worth_what_its_checkpoint_is() -> None:
    with pytest.raises(Unverified, match="quorum"):
        verify_proof(proof_of(1, cosigned(0)), ENTRIES[1], [LOG.verifier], k_of(2, WITNESS_KEYS))
    stranger = SigningKey(LOG.verifier.name, bytes(32))
    with pytest.raises(Unverified, match="none of the known keys"):
        verify_proof(proof_of(1), ENTRIES[1], [stranger.verifier])


SOME = "c2sp.org/tlog-proof@v1\nindex 5\n"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("", "no empty line|does not begin with"),
        ("c2sp.org/tlog-proof@v2\nindex 5\n", "line 1: does not begin with"),
        (" " + SOME, "line 1: does not begin with"),
        ("c2sp.org/tlog-proof@v1\n", "line 2: the index must stand here, not the end"),
        ("c2sp.org/tlog-proof@v1\nextra YQ==\n", "line 3: the index must stand here, not the end"),
        ("c2sp.org/tlog-proof@v1\nextra \nindex 5\n", "line 2: the extra line is left out"),
        ("c2sp.org/tlog-proof@v1\nextra YR==\nindex 5\n", "line 2: .* canonical Base64"),
        ("c2sp.org/tlog-proof@v1\nindex 5\nextra YQ==\n", "line 3: .* Base64"),
        ("c2sp.org/tlog-proof@v1\nindex 05\n", "line 2: .* whole number"),
        ("c2sp.org/tlog-proof@v1\nindex -5\n", "line 2: .* whole number"),
        ("c2sp.org/tlog-proof@v1\nindex\n", "line 2: the index must stand here"),
        (
            "c2sp.org/tlog-proof@v1\nextra YQ==\nextra YQ==\nindex 5\n",
            "line 3: the index must stand",
        ),
        (SOME + "AAAA\n", "line 3: a hash has 32 bytes, not 3"),
        (SOME + f"{HEAD_LINE}\n" * 64, "no tree needs more than 63"),
        (SOME + "\r\n", "control character"),
    ],
)
def test_proofs_that_are_none(head: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_proof(f"{head}\n".encode() + SIGNED)


def test_a_proof_ends_in_a_note() -> None:
    for end in (b"", b"\n", b"\nlog.example/town\n", b"\n" + SIGNED[:-1], b"\n" + SIGNED + b"\n"):
        with pytest.raises(Malformed):
            parse_proof(SOME.encode() + end)
