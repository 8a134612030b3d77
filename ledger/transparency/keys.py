"""Ed25519 keys of logs and witnesses, and what is signed with them (C2SP signed-note, tlog-cosignature)."""

import re
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.transparency.errors import Malformed
from ledger.transparency.strict import MAX_NUMBER, base64_of, from_base64, shown

KEY_BYTES = 32
_ID_BYTES = 4
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_PRIVATE = "PRIVATE+KEY+"
_ID = re.compile("[0-9a-f]{8}")
_NAME = re.compile("[^\\s+\0-\x1f\ud800-\udfff]+")


class SignatureType(IntEnum):
    """The types that this project signs and verifies (signed-note, Signature types). Others are refused as keys."""

    ED25519 = 0x01
    """A log's: over the text of the note."""
    COSIGNATURE = 0x04
    """A witness's: over the text and the time (cosignature/v1)."""


class Signature(NamedTuple):
    """One line of a note: who is said to have signed it with which key, and what they signed it with."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, with its newline (signed-note, Format)."""
        return f"— {self.name} {base64_of(self.key_id + self.value)}\n"

    @property
    def time(self) -> int:
        """When a cosignature says that it was made: seconds since 1970. Of other signatures it means nothing."""
        return int.from_bytes(self.value[:_TIME_BYTES], "big")


def check_name(name: str, what: str, line: int | None = None) -> None:
    """A key's name is not empty and has neither spaces nor a plus (signed-note, Format). Raises `Malformed`."""
    if not _NAME.fullmatch(name):
        why = f"{shown(name)} is not a key's name: it is empty, or holds a space or a plus"
        raise Malformed(what, why, line)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and the type that it signs under."""

    name: str
    public: bytes
    type: SignatureType = SignatureType.ED25519

    def __post_init__(self) -> None:
        check_name(self.name, "verifier key")
        if len(self.public) != KEY_BYTES:
            raise Malformed("verifier key", f"has {len(self.public)} bytes, not {KEY_BYTES}")

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The key of a vkey `name+id+base64(type ‖ public key)`. Raises `Malformed`."""
        name, key_id, type_, public = _parts(vkey, "verifier key")
        key = cls(name, public, type_)
        if key.id.hex() != key_id:
            why = f"the id {key_id} is not the one of its name and key, {key.id.hex()}"
            raise Malformed("verifier key", why)
        return key

    @property
    def id(self) -> bytes:
        """Four bytes that stand for name, type and key (signed-note, Signatures)."""
        hashed = sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public)
        return hashed.digest()[:_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key in the form in which it is published."""
        return f"{self.name}+{self.id.hex()}+{base64_of(bytes([self.type]) + self.public)}"

    def signed(self, text: str, signature: Signature) -> bool:
        """Whether this key made this signature on this text."""
        if (signature.name, signature.key_id) != (self.name, self.id):
            return False
        message, value = text.encode(), signature.value
        if self.type is SignatureType.COSIGNATURE:
            if len(value) != _TIME_BYTES + _SIGNATURE_BYTES or signature.time > MAX_NUMBER:
                return False
            message, value = cosigned_message(text, signature.time), value[_TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message)
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        return self.vkey


class SigningKey:
    """A private key. Nothing shows it but `skey`: not its representation, not an error."""

    __slots__ = ("_seed", "verifier")

    def __init__(
        self, name: str, seed: bytes, type_: SignatureType = SignatureType.ED25519
    ) -> None:
        """From 32 random bytes, which the caller drew. Raises `Malformed`."""
        if len(seed) != KEY_BYTES:
            raise Malformed("signing key", f"a seed has {KEY_BYTES} bytes")
        self._seed = seed
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        self.verifier = VerifierKey(name, public, type_)

    @classmethod
    def parse(cls, skey: str) -> Self:
        """The key of an skey, as Go's `note.GenerateKey` writes it. Raises `Malformed`, without the key in it."""
        if not skey.startswith(_PRIVATE):
            raise Malformed("signing key", f"does not begin with {_PRIVATE}")
        name, key_id, type_, seed = _parts(skey.removeprefix(_PRIVATE), "signing key")
        key = cls(name, seed, type_)
        if key.verifier.id.hex() != key_id:
            raise Malformed("signing key", "the id is not the one of its name and key")
        return key

    @property
    def skey(self) -> str:
        """SECRET: the key in the form in which it is kept, `PRIVATE+KEY+name+id+base64(type ‖ seed)`."""
        secret = base64_of(bytes([self.verifier.type]) + self._seed)
        return f"{_PRIVATE}{self.verifier.name}+{self.verifier.id.hex()}+{secret}"

    def sign(self, text: str) -> Signature:
        """A log's signature on a note's text. Raises `ValueError` with the key of a witness."""
        return self._signature(SignatureType.ED25519, text.encode(), b"")

    def cosign(self, text: str, time: int) -> Signature:
        """A witness's signature on a checkpoint's text, made at `time`, in seconds since 1970.

        Raises `ValueError` with the key of a log, or a time that the format cannot hold.
        """
        message = cosigned_message(text, time)
        return self._signature(
            SignatureType.COSIGNATURE, message, time.to_bytes(_TIME_BYTES, "big")
        )

    def _signature(self, type_: SignatureType, message: bytes, before: bytes) -> Signature:
        if self.verifier.type is not type_:
            raise ValueError(f"{self.verifier.name} signs with type {self.verifier.type:#04x}")
        value = Ed25519PrivateKey.from_private_bytes(self._seed).sign(message)
        return Signature(self.verifier.name, self.verifier.id, before + value)

    def __repr__(self) -> str:
        return f"SigningKey of {self.verifier}"


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs (tlog-cosignature, Ed25519 signed message). Raises `ValueError` for an impossible time."""
    if not 0 <= time <= MAX_NUMBER:
        raise ValueError(f"a cosignature cannot be of second {time}")
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _parts(key: str, what: str) -> tuple[str, str, SignatureType, bytes]:
    """Name, id, type and the key itself of an encoded key."""
    name, _, rest = key.partition("+")
    key_id, _, encoded = rest.partition("+")
    check_name(name, what)
    if not _ID.fullmatch(key_id):
        raise Malformed(what, "the id after the name is not 8 hexadecimal digits in small letters")
    data = from_base64(encoded, what, secret=True)
    if len(data) != 1 + KEY_BYTES:
        raise Malformed(what, f"has {len(data)} bytes after the id, not {1 + KEY_BYTES}")
    try:
        type_ = SignatureType(data[0])
    except ValueError:
        raise Malformed(
            what, f"is of the type {data[0]:#04x}; only 0x01 and 0x04 are known"
        ) from None
    return name, key_id, type_, data[1:]
