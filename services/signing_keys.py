"""Signing keys in files that only their owner can read, or in the environment. No message holds one."""

import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ledger.transparency.errors import Malformed
from ledger.transparency.keys import KEY_BYTES, SignatureType, SigningKey

_MODE = 0o600
_OTHERS = 0o077


class KeysUnavailable(Exception):
    """A signing key is missing, unreadable or not safe where it is. The message says what helps."""


def new_key(name: str, type_: SignatureType = SignatureType.ED25519) -> SigningKey:
    """A random key."""
    return SigningKey(name, secrets.token_bytes(KEY_BYTES), type_)


class KeyFile:
    """A file of signing keys as Go's `note` writes them (`PRIVATE+KEY+…`), one a line, the current one first."""

    def __init__(self, path: Path, name: str, type_: SignatureType = SignatureType.ED25519) -> None:
        """`name` and `type_`: those that every key in it must have."""
        self.path = path
        self._name = name
        self._type = type_

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> tuple[SigningKey, ...]:
        """The keys. Raises `KeysUnavailable`: there is none, another may read them, or they are not of this name."""
        try:
            with self.path.open(encoding="ascii") as file:
                mode = os.fstat(file.fileno()).st_mode
                lines = file.read().split()
        except FileNotFoundError as error:
            raise KeysUnavailable(f"there is no signing key in {self.path}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise KeysUnavailable(f"the signing key in {self.path} cannot be read") from error
        if mode & _OTHERS:
            raise KeysUnavailable(
                f"the signing key in {self.path} can be read by others (mode {stat.S_IMODE(mode):04o}): if none of "
                f"them can have, `chmod 600 {self.path}`; else generate another"
            )
        return checked(lines, self._name, self._type, str(self.path))

    def make(self) -> SigningKey:
        """A new key in a new file; the one that is there, if another process was faster. Raises `KeysUnavailable`."""
        key = new_key(self._name, self._type)
        whole = self._written([key])
        with suppress(FileExistsError):  # nobody ever reads half a key
            os.link(whole, self.path)
        whole.unlink()
        _bring_to_disk(self.path.parent)
        return self.read()[0]

    def replace(self, keys: Sequence[SigningKey]) -> None:
        """Keep these keys instead, all or, after a crash, none of them. Raises `KeysUnavailable`."""
        self._written(keys).replace(self.path)
        _bring_to_disk(self.path.parent)

    def _written(self, keys: Sequence[SigningKey]) -> Path:
        whole = self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.writelines(f"{key.skey}\n" for key in keys)
                file.flush()
                os.fsync(handle)
        except OSError as error:
            raise KeysUnavailable(f"a signing key cannot be kept beside {self.path}") from error
        return whole


class LogKeys:
    """The keys that sign checkpoints (`projections.tree.publishing.Keys`): of the environment, else of the file."""

    def __init__(
        self, name: str, file: KeyFile, environment: str | None, *, may_make: bool
    ) -> None:
        self._name = name
        self.file = file
        self._environment = environment
        self._may_make = may_make

    @property
    def in_environment(self) -> bool:
        """Whether the file is not used."""
        return self._environment is not None

    def signing(self, *, first: bool) -> Sequence[SigningKey]:
        """All that sign now, the current one first. Raises `KeysUnavailable`.

        One is only made where nothing was ever signed: to sign on with another key would look like another log.
        """
        if self._environment is not None:
            names = (self._name, SignatureType.ED25519)
            return checked(self._environment.split(), *names, "CIVIC_SIGNING_KEY")
        if not self.file.exists():
            if not (first and self._may_make):
                raise KeysUnavailable(
                    f"there is no signing key in {self.file.path}: if checkpoints were signed with one, put it back; "
                    "else make one with `civic-ledger keys generate`"
                )
            self.file.make()
        return self.file.read()


def checked(
    skeys: Iterable[str], name: str, type_: SignatureType, where: str
) -> tuple[SigningKey, ...]:
    """The keys, if there are some and all are of this name and type. Raises `KeysUnavailable`."""
    try:
        keys = tuple(SigningKey.parse(one) for one in skeys)
    except Malformed as error:
        raise KeysUnavailable(f"{where} holds something that is no signing key: {error}") from None
    if not keys:
        raise KeysUnavailable(f"{where} holds no signing key")
    for key in keys:
        if (key.verifier.name, key.verifier.type) != (name, type_):
            raise KeysUnavailable(
                f"{where} holds the key {key.verifier.vkey}, which does not sign as {name} with type {type_:#04x}"
            )
    return keys


def _bring_to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
