"""Keys and signed notes: the examples of the specification and of Go, and what must be refused."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import (
    Signature,
    SignatureType,
    SigningKey,
    VerifierKey,
    cosigned_message,
)
from ledger.transparency.note import MAX_SIGNATURES, Note, open_note, parse_note, parse_signatures
from tests.unit.transparency.mutating import changed, check_strict
from tests.unit.transparency.vectors import (
    CHECKPOINT_LINE,
    CHECKPOINT_TEXT,
    COSIGNATURE_VKEY,
    ENOCH,
    ENOCH_LINE,
    ENOCH_VKEY,
    GO_TEXT,
    LOG,
    PETER,
    PETER_LINE,
    PETER_SKEY,
    PETER_VKEY,
    SPEC_NOTE,
    SPEC_POEM,
    SPEC_VKEY,
    WITNESS_LINE,
    WITNESS_TIME,
    WITNESSES,
)

BOTH = f"{GO_TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()

# Keys


@pytest.mark.parametrize("vkey", [SPEC_VKEY, PETER_VKEY, ENOCH_VKEY, COSIGNATURE_VKEY])
def test_public_keys(vkey: str) -> None:
    key = VerifierKey.parse(vkey)
    assert key.vkey == str(key) == vkey
    check_strict(vkey.encode(), lambda data: VerifierKey.parse(data.decode("latin-1")), _vkey)


def _vkey(key: VerifierKey) -> bytes:
    return key.vkey.encode("latin-1")


def test_types_and_ids() -> None:
    assert VerifierKey.parse(SPEC_VKEY).type is SignatureType.ED25519
    assert VerifierKey.parse(SPEC_VKEY).id.hex() == "530d903a"
    assert VerifierKey.parse(COSIGNATURE_VKEY).type is SignatureType.COSIGNATURE


def test_private_keys() -> None:
    key = SigningKey.parse(PETER_SKEY)
    assert key.skey == PETER_SKEY
    assert key.verifier == PETER
    witness = WITNESSES[0]
    assert SigningKey.parse(witness.skey).verifier == witness.verifier


def test_nothing_shows_a_private_key() -> None:
    secret = PETER_SKEY.rpartition("+")[2]
    key = SigningKey.parse(PETER_SKEY)
    assert secret not in f"{key} {key!r} {key.verifier!r}"
    assert PETER_VKEY in repr(key)
    for other in {data.decode("latin-1") for data in changed(PETER_SKEY.encode())}:
        if other == PETER_SKEY:
            continue
        with pytest.raises(Malformed) as refused:
            SigningKey.parse(other)
        assert secret[:20] not in str(refused.value)


@pytest.mark.parametrize(
    ("vkey", "why"),
    [
        # wrong length and unknown type with a matching id: note_test.go
        (
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "Base64|bytes",
        ),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "type 0x65"),
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "the id"),
        (PETER_VKEY.replace("c74f20a3", "C74F20A3"), "small letters"),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a key's name"),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a key's name"),
        ("\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a key's name"),
        ("PeterNeumann", "the id"),
        ("", "a key's name"),
    ],
)
def test_keys_that_are_none(vkey: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        VerifierKey.parse(vkey)
    if vkey != "PeterNeumann":
        with pytest.raises(Malformed, match=r"name|bytes|Base64|type|id"):
            SigningKey.parse("PRIVATE+KEY+" + vkey)


def test_keys_have_32_bytes() -> None:
    for size in (0, 31, 33):
        with pytest.raises(Malformed, match="32"):
            SigningKey("a", bytes(size))
        with pytest.raises(Malformed, match="32"):
            VerifierKey("a", bytes(size))


# Notes


@pytest.mark.parametrize("data", [SPEC_NOTE, SPEC_POEM, BOTH])
def test_notes_are_written_as_they_were(data: bytes) -> None:
    check_strict(data, parse_note, Note.encode)


def test_the_example_of_the_specification_is_verified() -> None:
    key = VerifierKey.parse(SPEC_VKEY)
    opened = open_note(SPEC_NOTE, [key])
    assert opened.note.text == "This is an example message.\n"
    assert list(opened.signed) == [key]


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = parse_note(SPEC_POEM)
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [one.name for one in note.signatures] == ["quasimodo.example/salvatore"]


def test_signing_as_go_signs() -> None:
    """TestSign of note_test.go."""
    signature = SigningKey.parse(PETER_SKEY).sign(GO_TEXT)
    assert Note(GO_TEXT, (signature,)).encode() == f"{GO_TEXT}\n{PETER_LINE}".encode()
    bad = Signature(PETER.name, PETER.id, b"bad")
    other = parse_signatures(ENOCH_LINE, "test")[0]
    assert Note(GO_TEXT, (bad, other)).signed_too(signature) == Note(GO_TEXT, (other, signature))


def test_opening_as_go_opens() -> None:
    """TestOpen of note_test.go."""
    peter, enoch = parse_note(BOTH).signatures
    one = open_note(BOTH, [PETER])
    assert (one.signed, one.unknown) == ({PETER: peter}, (enoch,))
    both = open_note(BOTH, [PETER, ENOCH, PETER])
    assert (both.signed, both.unknown) == ({PETER: peter, ENOCH: enoch}, ())
    with pytest.raises(Unverified, match=r"none of the known keys .* EnochRoot, PeterNeumann"):
        open_note(BOTH, [])
    false = PETER_LINE[:62] + "ABCD" + PETER_LINE[62:]
    with pytest.raises(Unverified, match=r"in the name of PeterNeumann\+c74f20a3"):
        open_note(f"{GO_TEXT}\n{false}".encode(), [PETER])
    twice = f"{GO_TEXT}\n{PETER_LINE * 2}{ENOCH_LINE * 2}".encode()
    again = open_note(twice, [PETER])
    assert (again.signed, again.unknown) == ({PETER: peter}, (enoch,))
    assert parse_note(twice).encode() == twice


def test_a_second_false_signature_by_a_known_key_is_found() -> None:
    """Stricter than Go, which reads the first: the specification says that each must be verified."""
    false = PETER_LINE[:62] + "ABCD" + PETER_LINE[62:]
    with pytest.raises(Unverified, match="is false"):
        open_note(f"{GO_TEXT}\n{PETER_LINE}{false}".encode(), [PETER])


def test_a_key_that_shares_only_name_or_id_is_unknown() -> None:
    namesake = dataclasses.replace(ENOCH, name=PETER.name)
    with pytest.raises(Unverified, match="none of the known keys"):
        open_note(f"{GO_TEXT}\n{PETER_LINE}".encode(), [namesake])
    line = PETER_LINE.replace("PeterNeumann", "CarmenSandiego")
    with pytest.raises(Unverified, match="none of the known keys"):
        open_note(f"{GO_TEXT}\n{line}".encode(), [PETER])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (GO_TEXT.encode(), "no empty line"),
        (f"{GO_TEXT}\n".encode(), "does not end in a signature line"),
        (f"{GO_TEXT}\n{PETER_LINE[:-1]}".encode(), "does not end in a signature line"),
        (f"\x01{GO_TEXT}\n{PETER_LINE}".encode(), "control character"),
        (f"a\r\n\n{PETER_LINE}".encode(), "line 1: holds the control character"),
        (b"\xff" + f"{GO_TEXT}\n{PETER_LINE}".encode(), "line 1: byte 0 is not UTF-8"),
        (b"\xed\xa0\x80\n\n" + PETER_LINE.encode(), "is not UTF-8"),
        (f"{GO_TEXT}\n— Bad Name x08go/ZJkuBS9UG/\n".encode(), "line 4: .* Base64"),
        (f"{GO_TEXT}\n— a+b x08go/ZJkuBS\n".encode(), "a key's name"),
        (f"{GO_TEXT}\n— a\u2003b x08go/ZJkuBS\n".encode(), "a key's name"),
        (f"{GO_TEXT}\n—  x08go/ZJkuBS\n".encode(), "a key's name"),
        (f"{GO_TEXT}\n- a x08go/ZJkuBS\n".encode(), "not a signature line"),
        (f"{GO_TEXT}\n— a\n".encode(), "not a signature line"),
        (f"{GO_TEXT}\n— a \n".encode(), "nothing follows the key id"),
        (f"{GO_TEXT}\n— a AAAAAA==\n".encode(), "nothing follows the key id"),
        (f"{GO_TEXT}\n— a AAAAAAB=\n".encode(), "canonical Base64"),
        (f"{GO_TEXT}\n— a AAAAAAA\n".encode(), "canonical Base64"),
        (f"{GO_TEXT}\n— a AAAA-AA=\n".encode(), "canonical Base64"),
        (f"{GO_TEXT}\n{PETER_LINE}Unexpected line.\n".encode(), "line 5: .* not a signature line"),
        (f"{GO_TEXT}\n{PETER_LINE * (MAX_SIGNATURES + 1)}".encode(), "more than 100"),
        (PETER_LINE.encode(), "no empty line"),
        (b"", "no empty line"),
    ],
)
def test_notes_that_are_none(data: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_note(data)


def test_only_a_note_is_written_as_one() -> None:
    signature = SigningKey.parse(PETER_SKEY).sign(GO_TEXT)
    for text, signatures in (("no newline", (signature,)), ("a\tb\n", (signature,)), ("a\n", ())):
        with pytest.raises(Malformed):
            Note(text, signatures).encode()


def test_as_many_signatures_as_are_allowed() -> None:
    lines = "".join(Signature(f"key{n}", bytes(4), b"x").line for n in range(MAX_SIGNATURES - 1))
    opened = open_note(f"{GO_TEXT}\n{lines}{PETER_LINE}".encode(), [PETER])
    assert len(opened.unknown) == MAX_SIGNATURES - 1


names = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1
)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n")).map(
    lambda text: text + "\n"
)


@given(texts, st.lists(st.tuples(names, st.binary(min_size=4, max_size=4), st.binary(min_size=1))))
def test_any_note_is_read_as_it_was_written(
    text: str, made: list[tuple[str, bytes, bytes]]
) -> None:
    signatures = tuple(Signature(*one) for one in made[:MAX_SIGNATURES]) or (LOG.sign(text),)
    note = Note(text, signatures)
    assert parse_note(note.encode()) == note


def test_two_keys_of_one_name_and_id_are_not_taken() -> None:
    class Colliding(VerifierKey):
        id = PETER.id

    with pytest.raises(ValueError, match="two different keys"):
        open_note(BOTH, [PETER, Colliding(PETER.name, bytes(32))])


# Cosignatures


def test_the_cosignature_of_the_specification() -> None:
    (signature,) = parse_signatures(WITNESS_LINE, "test")
    assert signature.time == WITNESS_TIME
    assert signature.line == WITNESS_LINE
    assert cosigned_message(CHECKPOINT_TEXT, WITNESS_TIME) == (
        b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT_TEXT.encode()
    )
    cosigned = f"{CHECKPOINT_TEXT}\n{CHECKPOINT_LINE}{WITNESS_LINE}".encode()
    check_strict(cosigned, parse_note, Note.encode)


def test_a_cosignature_holds_text_and_time() -> None:
    witness = WITNESSES[0]
    signature = witness.cosign(CHECKPOINT_TEXT, WITNESS_TIME)
    key = witness.verifier
    assert key.signed(CHECKPOINT_TEXT, signature)
    assert signature.time == WITNESS_TIME
    assert not key.signed(CHECKPOINT_TEXT + "more\n", signature)
    later = (WITNESS_TIME + 1).to_bytes(8, "big") + signature.value[8:]
    too_late = b"\x80" + signature.value[1:]
    for value in (later, too_late, signature.value[:-1], signature.value[8:], b""):
        assert not key.signed(CHECKPOINT_TEXT, signature._replace(value=value))
    assert not WITNESSES[1].verifier.signed(CHECKPOINT_TEXT, signature)


def test_each_key_signs_in_its_own_way_only() -> None:
    with pytest.raises(ValueError, match="signs with type 0x04"):
        WITNESSES[0].sign(CHECKPOINT_TEXT)
    with pytest.raises(ValueError, match="signs with type 0x01"):
        LOG.cosign(CHECKPOINT_TEXT, 1)
    for time in (-1, 2**63):
        with pytest.raises(ValueError, match="cannot be of second"):
            WITNESSES[0].cosign(CHECKPOINT_TEXT, time)
    plain = SigningKey(WITNESSES[0].verifier.name, bytes([1] * 32))
    assert plain.verifier.id != WITNESSES[0].verifier.id


def test_no_signature_of_another_length_is_believed() -> None:
    signature = LOG.sign("a\n")
    for value in (b"", signature.value[:-1], signature.value + b"\0", bytes(64)):
        assert not LOG.verifier.signed("a\n", signature._replace(value=value))
