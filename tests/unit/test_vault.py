"""The vault: what it keeps, what it never shows, and what it notices."""

import hmac
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from ledger.domain.sealing import unsealed
from ledger.vault import keys
from ledger.vault.keys import PrivateContent, VaultError, pseudonym_of
from ledger.vault.vault import PrivatePart, Vault
from tests.unit.ledgers import MASTER_KEY
from tests.unit.vaults import MADE, kept, path, vault

__all__ = ["path", "vault"]


def changed_by_hand(path: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(sql, values).rowcount > 0
    connection.close()


# Identities and pseudonyms


def test_an_identity_has_one_citizen_id_which_says_nothing(vault: Vault) -> None:
    anna, ben = vault.enrol("anna@x.example"), vault.enrol("ben@x.example")
    assert vault.enrol("anna@x.example") == anna
    assert vault.citizen("anna@x.example") == anna
    assert vault.identity(anna) == "anna@x.example"
    assert len({anna, ben}) == 2
    assert len(bytes.fromhex(anna)) == 16
    assert vault.citizen("cora@x.example") is None


def test_many_at_once(vault: Vault) -> None:
    anna = vault.enrol("anna")
    found = vault.enrol_all(one for one in ["ben", "anna", "ben", "cora"])
    assert found["anna"] == anna
    assert len(set(found.values())) == len(found) == 3


def test_a_pseudonym_is_an_hmac_of_its_scope() -> None:
    """The first 128 bits of HMAC-SHA-256: test cases 1 and 2 of RFC 4231, section 4."""
    assert pseudonym_of(b"\x0b" * 20, "Hi There") == "b0344c61d8db38535ca8afceaf0bf12b"
    known = "5bdcc146bf60754e6a042426089575c7"
    assert pseudonym_of(b"Jefe", "what do ya want for nothing?") == known


def test_the_pseudonyms_of_a_citizen_come_from_their_own_key(path: Path, vault: Vault) -> None:
    anna, ben = vault.enrol("anna"), vault.enrol("ben")
    connection = sqlite3.connect(path)
    (wrapped,) = connection.execute(
        "SELECT pseudonym_key FROM citizens WHERE citizen = ?", (anna,)
    ).fetchone()
    connection.close()
    key = aes_key_unwrap(MASTER_KEY, wrapped)
    expected = hmac.digest(key, b"question/q", "sha256").hex()[:32]
    assert vault.pseudonym(anna, "question/q") == expected
    assert vault.holding([anna]).pseudonym(anna, "question/q") == expected
    assert vault.holding([]).pseudonym(anna, "question/q") == expected
    others = {vault.pseudonym(anna, "question/p"), vault.pseudonym(ben, "question/q"), expected}
    assert len(others) == 3


@pytest.mark.parametrize("ask", ["pseudonym", "identity", "private", "seal"])
def test_who_is_not_known_has_no_secrets(vault: Vault, ask: str) -> None:
    nobody = "f" * 32
    part = PrivatePart("c/1", MADE, nobody, PrivateContent({"comment": "x"}))
    asked = {
        "pseudonym": lambda: vault.pseudonym(nobody, "roll"),
        "identity": lambda: vault.identity(nobody),
        "private": lambda: vault.keep([part]),
        "seal": lambda: vault.seal("no question", nobody, {"a": 1}),
    }
    with pytest.raises(VaultError, match=r"no such citizen|no key for the question"):
        asked[ask]()


# Private parts


def test_a_private_part_comes_back(vault: Vault) -> None:
    commitment = kept(vault)
    assert vault.private_part("c/1", commitment) == {"comment": "For my mother."}
    assert vault.private_part("c/1", "0" * 64) is None
    assert vault.private_part("c/2", commitment) is None


def test_the_commitment_is_of_a_random_salt_and_the_content(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys.os, "urandom", lambda n: b"s" * n)
    content = PrivateContent({"b": "2", "a": "1"})
    assert content.commitment == sha256(b"s" * 32 + b'{"a":"1","b":"2"}').hexdigest()
    monkeypatch.undo()
    assert PrivateContent({"a": "1"}).commitment != PrivateContent({"a": "1"}).commitment


@pytest.mark.parametrize(
    "change",
    [
        "sealed = zeroblob(length(sealed))",
        "sealed = CAST(substr(sealed, 1, length(sealed) - 1) AS BLOB)",
        "event_type = 'civic.choice.changed.v1'",
        "citizen = (SELECT citizen FROM citizens WHERE identity = 'ben')",
    ],
)
def test_a_private_part_that_was_changed_is_noticed(path: Path, vault: Vault, change: str) -> None:
    vault.enrol("ben")
    commitment = kept(vault)
    changed_by_hand(path, f"UPDATE private_parts SET {change}")
    with pytest.raises(VaultError, match="the private part of event c/1 was changed"):
        vault.private_part("c/1", commitment)


def test_a_private_part_in_the_place_of_another_is_noticed(path: Path, vault: Vault) -> None:
    true, false = kept(vault, comment="Yes."), kept(vault, comment="No.")
    changed_by_hand(path, "DELETE FROM private_parts WHERE commitment = ?", true)
    changed_by_hand(
        path, "UPDATE private_parts SET commitment = ? WHERE commitment = ?", true, false
    )
    with pytest.raises(VaultError, match="was changed"):
        vault.private_part("c/1", true)
    other = kept(vault, event_id="c/2")
    changed_by_hand(path, "UPDATE private_parts SET event_id = 'c/3' WHERE event_id = 'c/2'")
    with pytest.raises(VaultError, match="was changed"):
        vault.private_part("c/3", other)


def test_only_what_no_entry_commits_to_is_swept_away(vault: Vault) -> None:
    first, second = kept(vault, "c/1", "First try."), kept(vault, "c/1", "Second try.")
    other = kept(vault, "c/2")
    assert vault.sweep(lambda event_id, commitment: commitment == second) == 2
    assert vault.private_part("c/1", second) == {"comment": "Second try."}
    assert vault.private_part("c/1", first) is None
    assert vault.private_part("c/2", other) is None


# Sealed marks, tokens


def test_marks_are_sealed_under_the_questions_own_key(vault: Vault) -> None:
    commitment = vault.seal_commitment("q")
    assert vault.seal_commitment("q") == commitment != vault.seal_commitment("p")
    key = vault.question_key("q")
    assert sha256(bytes.fromhex(key)).hexdigest() == commitment
    first, second = (vault.seal("q", "f" * 32, {"a": 1}) for _ in range(2))
    assert first != second  # never the same nonce twice
    assert unsealed(key, first) == unsealed(key, second) == {"a": 1}


def test_a_token_stands_for_one_principal(vault: Vault) -> None:
    assert not vault.has_token_for("operator")
    token, other = (vault.issue_token("operator", "operator") for _ in range(2))
    assert token != other
    assert vault.principal(token) == ("operator", "operator")
    assert vault.has_token_for("operator")
    assert vault.principal(token[:-1]) is None
    assert vault.principal("") is None
