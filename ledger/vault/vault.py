"""The vault in SQLite (in a file, or in memory)."""

import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from ledger.domain import sealing
from ledger.vault.keys import KEY_BYTES, PrivateContent, VaultError, opened, pseudonym_of

Role = Literal["operator", "citizen", "organisation"]

SCHEMA = Path(__file__).with_name("vault.sql").read_text(encoding="utf-8")

_CITIZEN_OF = "SELECT citizen FROM citizens WHERE identity = ?"
_IDENTITY_OF = "SELECT identity FROM citizens WHERE citizen = ?"
_DATA_KEY_OF = "SELECT data_key FROM citizens WHERE citizen = ?"
_PSEUDONYM_KEYS_OF = (
    "SELECT citizen, pseudonym_key FROM citizens WHERE citizen IN (SELECT value FROM json_each(?))"
)
_PSEUDONYM_KEY_OF = "SELECT pseudonym_key FROM citizens WHERE citizen = ?"
_ENROL = "INSERT OR IGNORE INTO citizens (citizen, identity, data_key, pseudonym_key) VALUES (?, ?, ?, ?)"
_KEEP = (
    "INSERT OR IGNORE INTO private_parts (event_id, commitment, citizen, event_type, sealed)"
    " VALUES (?, ?, ?, ?, ?)"
)
_PRIVATE_PART = (
    "SELECT citizen, event_type, sealed FROM private_parts WHERE event_id = ? AND commitment = ?"
)
_PARTS = "SELECT event_id, commitment FROM private_parts"
_SWEEP = "DELETE FROM private_parts WHERE event_id = ? AND commitment = ?"
_ADD_QUESTION_KEY = "INSERT OR IGNORE INTO question_keys (question, key) VALUES (?, ?)"
_QUESTION_KEY = "SELECT key FROM question_keys WHERE question = ?"
_ADD_TOKEN = "INSERT INTO tokens (sha256, role, subject) VALUES (?, ?, ?)"  # noqa: S105
_TOKEN = "SELECT role, subject FROM tokens WHERE sha256 = ?"  # noqa: S105
_HAS_ROLE = "SELECT EXISTS (SELECT 1 FROM tokens WHERE role = ?)"


class Principal(NamedTuple):
    """Who a token stands for: the operator, a citizen (by citizen id), or an organisation (by its id)."""

    role: Role
    subject: str


class PrivatePart(NamedTuple):
    """What is to be kept for one event."""

    event_id: str
    event_type: str
    citizen: str
    content: PrivateContent


class Vault:
    """Identities, citizen ids, keys, private parts and tokens. May be used from any thread and process.

    `path` None keeps everything in memory. Raises `VaultError` for a file that is not a vault, and for a
    citizen or question that it does not know.
    """

    def __init__(self, path: Path | None, master_key: bytes) -> None:
        self._path = path
        self._master_key = master_key
        self._lock = threading.RLock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        with self._reported():
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
            )
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            for statement in SCHEMA.split(";;"):
                self._connection.execute(statement)

    def enrol(self, identity: str) -> str:
        """The citizen id of an identity; a new one, random, with new keys, where there is none."""
        return self.enrol_all((identity,))[identity]

    def enrol_all(self, identities: Iterable[str]) -> dict[str, str]:
        """The citizen ids of many identities, in one transaction."""
        found = {one: self.citizen(one) for one in identities}
        missing = [one for one, citizen in found.items() if citizen is None]
        if missing:
            rows = [
                (secrets.token_hex(16), one, self._new_key(), self._new_key()) for one in missing
            ]
            with self._transaction() as connection:
                connection.executemany(_ENROL, rows)
        return {one: citizen or self._require(one) for one, citizen in found.items()}

    def citizen(self, identity: str) -> str | None:
        """The citizen id of an identity, or None."""
        row = self._row(_CITIZEN_OF, identity)
        return None if row is None else str(row[0])

    def identity(self, citizen: str) -> str:
        """The identity of a citizen id."""
        row = self._row(_IDENTITY_OF, citizen)
        if row is None:
            raise VaultError("the vault knows no such citizen")
        return str(row[0])

    def pseudonym(self, citizen: str, scope: str) -> str:
        return pseudonym_of(self._key(_PSEUDONYM_KEY_OF, citizen), scope)

    def holding(self, citizens: Iterable[str]) -> "HeldKeys":
        """The same secrets, with the pseudonym keys of these citizens fetched in one go, for a batch."""
        wanted = orjson.dumps(list(set(citizens))).decode()
        with self._reported(), self._lock:
            rows = self._connection.execute(_PSEUDONYM_KEYS_OF, (wanted,)).fetchall()
        return HeldKeys(self, {citizen: self._unwrap(wrapped) for citizen, wrapped in rows})

    def seal_commitment(self, question: str) -> str:
        row = (question, self._wrap(os.urandom(KEY_BYTES)))
        with self._transaction() as connection:
            connection.execute(_ADD_QUESTION_KEY, row)
        return sealing.seal_commitment(self._question_key(question))

    def seal(self, question: str, voter: str, marks: Mapping[str, int]) -> str:
        return sealing.sealed(self._question_key(question), os.urandom(12), marks)

    def question_key(self, question: str) -> str:
        return self._question_key(question).hex()

    def keep(self, parts: Sequence[PrivatePart]) -> None:
        """Keep private parts, before their events are appended; on disk when this returns."""
        if not parts:
            return
        rows = [
            (
                part.event_id,
                part.content.commitment,
                part.citizen,
                part.event_type,
                part.content.sealed(
                    self._key(_DATA_KEY_OF, part.citizen), part.event_id, part.event_type
                ),
            )
            for part in parts
        ]
        with self._transaction() as connection:
            connection.executemany(_KEEP, rows)

    def private_part(self, event_id: str, commitment: str) -> dict[str, str] | None:
        """What the entry with this id and commitment holds of a person; None when it is forgotten."""
        row = self._row(_PRIVATE_PART, event_id, commitment)
        if row is None:
            return None
        citizen, event_type, sealed = row
        try:
            key = self._key(_DATA_KEY_OF, citizen)
            return opened(sealed, key, event_id, event_type, commitment)
        except InvalidTag as error:
            raise VaultError(f"the private part of event {event_id} was changed") from error

    def sweep(self, committed: Callable[[str, str], bool]) -> int:
        """Forget the private parts to which no entry commits. How many there were.

        `committed` says it of an event's id and a commitment. Not while commands are carried out: a part is
        kept before its entry is in the log.
        """
        with self._reported(), self._lock:
            parts = self._connection.execute(_PARTS).fetchall()
        orphans = [part for part in parts if not committed(*part)]
        with self._transaction() as connection:
            connection.executemany(_SWEEP, orphans)
        return len(orphans)

    def issue_token(self, role: Role, subject: str) -> str:
        """A new bearer token. It is shown once: only its SHA-256 is kept."""
        token = secrets.token_urlsafe(32)
        with self._transaction() as connection:
            connection.execute(_ADD_TOKEN, (_hash(token), role, subject))
        return token

    def principal(self, token: str) -> Principal | None:
        """Who the token stands for, or None."""
        row = self._row(_TOKEN, _hash(token))
        return None if row is None else Principal(row[0], row[1])

    def has_token_for(self, role: Role) -> bool:
        row = self._row(_HAS_ROLE, role)
        return row is not None and bool(row[0])

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _require(self, identity: str) -> str:
        citizen = self.citizen(identity)
        if citizen is None:
            raise VaultError("a citizen was forgotten while they were being enrolled; try again")
        return citizen

    def _key(self, sql: str, citizen: str) -> bytes:
        row = self._row(sql, citizen)
        if row is None:
            raise VaultError("the vault knows no such citizen")
        return self._unwrap(row[0])

    def _question_key(self, question: str) -> bytes:
        row = self._row(_QUESTION_KEY, question)
        if row is None:
            raise VaultError(f"the vault has no key for the question {question!r}")
        return self._unwrap(row[0])

    def _new_key(self) -> bytes:
        return self._wrap(os.urandom(KEY_BYTES))

    def _wrap(self, key: bytes) -> bytes:
        return aes_key_wrap(self._master_key, key)

    def _unwrap(self, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._master_key, wrapped)
        except InvalidUnwrap as error:
            raise VaultError(
                "the master key does not fit this vault; give the one that the vault was made with"
            ) from error

    def _row(self, sql: str, *values: str) -> tuple[Any, ...] | None:
        with self._reported(), self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reported(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise VaultError(
                f"The vault {self._path or 'in memory'} cannot be used: {error}. If it is damaged, put its last "
                "good copy in its place."
            ) from error


class HeldKeys:
    """The vault's secrets (`ledger.domain.deciding.Secrets`) with some keys at hand. Let go of it soon."""

    def __init__(self, vault: Vault, pseudonym_keys: Mapping[str, bytes]) -> None:
        self._keys = pseudonym_keys
        self._known: dict[tuple[str, str], str] = {}
        self._pseudonym = vault.pseudonym
        self.seal_commitment = vault.seal_commitment
        self.seal = vault.seal
        self.question_key = vault.question_key

    def pseudonym(self, citizen: str, scope: str) -> str:
        known = self._known.get((citizen, scope))
        if known is None:
            key = self._keys.get(citizen)
            known = self._pseudonym(citizen, scope) if key is None else pseudonym_of(key, scope)
            self._known[citizen, scope] = known
        return known


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
