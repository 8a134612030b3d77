"""Signed text (C2SP signed-note)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import Signature, VerifierKey, check_name
from ledger.transparency.strict import from_base64, shown, utf8

MAX_SIGNATURES: Final = 100
"""More are refused unread (signed-note, Format: at least 16 must be accepted)."""

_BEFORE = "— "
_KEY_ID_BYTES = 4


class Note(NamedTuple):
    """A text that ends in a newline, and the signatures under it. Nothing is known of their truth."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes. Raises `Malformed` if `parse_note` would refuse them."""
        lines = "".join(one.line for one in self.signatures)
        data = f"{self.text}\n{lines}".encode("utf-8", "surrogatepass")
        if parse_note(data) != self:
            raise Malformed("note", "the text does not end in a newline")
        return data

    def signed_too(self, signature: Signature) -> "Note":
        """The note with one more signature, in place of earlier ones by the same key."""
        by = signature[:2]
        return Note(self.text, (*(s for s in self.signatures if s[:2] != by), signature))


class OpenedNote(NamedTuple):
    """A note whose text may be relied on as far as its signers may."""

    note: Note
    signed: dict[VerifierKey, Signature]
    """The first signature by each known key, all of them true."""
    unknown: tuple[Signature, ...]
    """Signatures by other keys, each once: they say nothing."""


def parse_note(data: bytes) -> Note:
    """The text and all signature lines, in their order. Raises `Malformed`; verifies nothing."""
    whole = utf8(data, "note")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank:
        raise Malformed("note", "no empty line stands between text and signatures")
    return Note(text + "\n", parse_signatures(lines, "note", text.count("\n") + 3))


def parse_signatures(lines: str, what: str, first_line: int = 1) -> tuple[Signature, ...]:
    """One to `MAX_SIGNATURES` signature lines (signed-note, Format). Raises `Malformed`."""
    if not lines.endswith("\n"):
        raise Malformed(what, "does not end in a signature line with its newline")
    split = lines[:-1].split("\n")
    if len(split) > MAX_SIGNATURES:
        raise Malformed(what, f"has more than {MAX_SIGNATURES} signatures")
    return tuple(_signature(one, what, number) for number, one in enumerate(split, first_line))


def _signature(line: str, what: str, number: int) -> Signature:
    name, blank, encoded = line.removeprefix(_BEFORE).partition(" ")
    if not line.startswith(_BEFORE) or not blank:
        why = f"{shown(line)} is not a signature line: — name Base64"
        raise Malformed(what, why, number)
    check_name(name, what, number)
    value = from_base64(encoded, what, number)
    if len(value) <= _KEY_ID_BYTES:
        raise Malformed(what, "nothing follows the key id in the signature", number)
    return Signature(name, value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:])


def open_note(data: bytes, keys: Iterable[VerifierKey]) -> OpenedNote:
    """The note, with each signature by one of the keys verified (signed-note, Signatures).

    Raises `Malformed`, and `Unverified` if none of the keys signed it or a signature in the name of one is false.
    Signatures by unknown keys are ignored. Raises `ValueError` if two different keys have one name and id.
    """
    known = _by_id(keys)
    note = parse_note(data)
    signed: dict[VerifierKey, Signature] = {}
    unknown: dict[Signature, None] = {}
    for signature in note.signatures:
        key = known.get(signature[:2])
        if key is None:
            unknown[signature] = None
        elif not key.signed(note.text, signature):
            raise Unverified(f"the signature in the name of {key.vkey} is false")
        else:
            signed.setdefault(key, signature)
    if not signed:
        named = ", ".join(sorted({one.name for one in unknown}))
        raise Unverified(f"none of the known keys signed the note; it has signatures by {named}")
    return OpenedNote(note, signed, tuple(unknown))


def _by_id(keys: Iterable[VerifierKey]) -> dict[tuple[str, bytes], VerifierKey]:
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            raise ValueError(f"two different keys are called {key.name}+{key.id.hex()}")
    return known
