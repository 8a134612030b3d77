"""Keys: how a master key is kept, and what is computed with the keys that it wraps."""

import hmac
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_SALT_BYTES = 32
_NONCE_BYTES = 12


class VaultError(Exception):
    """The vault cannot do what is asked of it. The message says why and what helps."""


def pseudonym_of(key: bytes, scope: str) -> str:
    """HMAC-SHA-256 of the scope under the citizen's own key: 128 bits in hex (design, section 7)."""
    return hmac.digest(key, scope.encode(), "sha256").hex()[:32]


class PrivateContent:
    """A private part on its way into the vault: its bytes, their random salt, and the commitment to both."""

    def __init__(self, content: dict[str, str]) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._salted = salt + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        self.commitment = sha256(self._salted).hexdigest()

    def sealed(self, data_key: bytes, event_id: str, event_type: str) -> bytes:
        """AES-256-GCM under the citizen's data key, bound to its event."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(data_key).encrypt(nonce, self._salted, _bound(event_id, event_type))


def opened(
    sealed: bytes, data_key: bytes, event_id: str, event_type: str, commitment: str
) -> dict[str, str]:
    """The content of a private part. Raises `cryptography.exceptions.InvalidTag` where it was changed."""
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    salted = AESGCM(data_key).decrypt(nonce, text, _bound(event_id, event_type))
    if sha256(salted).hexdigest() != commitment:
        raise InvalidTag
    content: dict[str, str] = orjson.loads(salted[_SALT_BYTES:])
    return content


def _bound(event_id: str, event_type: str) -> bytes:
    return f"{event_id}\n{event_type}".encode()


def master_key(path: Path) -> bytes:
    """The master key in the file at `path`, which is made, readable for its owner only, if there is none.

    Raises `VaultError` where the file holds something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        whole = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(
            FileExistsError
        ):  # of several processes one is first; nobody reads half a key
            os.link(whole, path)
        whole.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise VaultError(
            f"The master key file {path} holds {len(key)} bytes, not {KEY_BYTES}. Put the right file back: "
            "without it nothing in the vault can be read."
        )
    return key
