"""Sealed marks: AES-256-GCM under the question's own key (design, section 7). Pure: the nonce is given."""

from collections.abc import Mapping
from hashlib import sha256

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_BLOCK = 256
"""Marks are padded to a multiple of this many bytes, so that their number does not show."""


def seal_commitment(key: bytes) -> str:
    """SHA-256 of the question's key, in hex; it stands in the entry that opens the question."""
    return sha256(key).hexdigest()


def sealed(key: bytes, nonce: bytes, marks: Mapping[str, int]) -> str:
    """The marks, encrypted, in hex. `nonce` is 12 bytes and never used twice with one key."""
    plain = orjson.dumps(dict(marks), option=orjson.OPT_SORT_KEYS)
    padded = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK)
    return (nonce + AESGCM(key).encrypt(nonce, padded, None)).hex()


def unsealed(key: str, text: str) -> dict[str, int]:
    """The marks. Raises ValueError where the key is not the one that they were sealed with."""
    blob = bytes.fromhex(text)
    try:
        plain = AESGCM(bytes.fromhex(key)).decrypt(blob[:_NONCE], blob[_NONCE:], None)
    except InvalidTag as error:
        raise ValueError("these marks were not sealed with this key") from error
    marks: dict[str, int] = orjson.loads(plain)
    return marks
