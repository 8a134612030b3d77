"""The vault's files: what is in them, who may read them, and what is said when they are damaged."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.vault.keys import VaultError, master_key
from ledger.vault.vault import Vault
from tests.unit.ledgers import MASTER_KEY
from tests.unit.vaults import kept, path, vault

__all__ = ["path", "vault"]


def everything_on_disk(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(path.parent.glob(path.name + "*")))


def test_no_key_no_content_and_no_token_is_on_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def random_bytes(number: int) -> bytes:
        made.append(sha256(f"{len(made)}".encode()).digest()[:number])
        return made[-1]

    monkeypatch.setattr("ledger.vault.vault.os.urandom", random_bytes)
    vault = Vault(path, MASTER_KEY)
    kept(vault)
    vault.seal_commitment("q")
    token = vault.issue_token("citizen", vault.enrol("anna"))
    monkeypatch.undo()
    secret = [one for one in made if len(one) == 32]
    assert len(secret) >= 4  # data key, pseudonym key, question key, salt
    assert bytes.fromhex(vault.question_key("q")) in secret
    for closed in (False, True):
        if closed:
            vault.close()
        content = everything_on_disk(path)
        assert b"anna" in content  # the search would find what is there
        assert not any(key in content for key in secret)
        assert b"mother" not in content
        assert token.encode() not in content
        assert MASTER_KEY not in content


def test_files_are_for_their_owner_alone(path: Path, vault: Vault) -> None:
    vault.enrol("anna")
    key_file = path.with_suffix(".key")
    master_key(key_file)
    for file in (*path.parent.glob(path.name + "*"), key_file):
        assert file.stat().st_mode & 0o777 == 0o600, file


def test_the_master_key_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "below" / "vault.key"
    assert master_key(file) == master_key(file)
    assert len(file.read_bytes()) == 32
    file.write_bytes(b"short")
    with pytest.raises(VaultError, match=r"vault\.key holds 5 bytes, not 32\. Put the right file"):
        master_key(file)


def test_of_several_who_make_the_master_key_one_is_first(tmp_path: Path) -> None:
    for round_ in range(10):
        file = tmp_path / f"{round_}.key"
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(master_key, [file] * 16))) == 1
        assert [*tmp_path.glob(f"{round_}.*")] == [file]


def test_with_another_master_key_nothing_can_be_read(path: Path, vault: Vault) -> None:
    anna = vault.enrol("anna")
    commitment = kept(vault)
    vault.seal_commitment("q")
    other = Vault(path, bytes(32))
    for ask in (
        lambda: other.pseudonym(anna, "roll"),
        lambda: other.holding([anna]),
        lambda: other.private_part("c/1", commitment),
        lambda: other.question_key("q"),
    ):
        with pytest.raises(VaultError, match="the master key does not fit this vault"):
            ask()
    other.close()


def test_a_restart_keeps_everything(path: Path, vault: Vault) -> None:
    anna, commitment = vault.enrol("anna"), kept(vault)
    name, token = vault.pseudonym(anna, "roll"), vault.issue_token("citizen", anna)
    seal = vault.seal_commitment("q")
    vault.close()
    again = Vault(path, MASTER_KEY)
    assert again.enrol("anna") == anna
    assert again.pseudonym(anna, "roll") == name
    assert again.private_part("c/1", commitment) == {"comment": "For my mother."}
    assert again.principal(token) == ("citizen", anna)
    assert again.seal_commitment("q") == seal
    again.close()


@pytest.mark.parametrize("damage", ["no database", "a torn page", "another database"])
def test_a_damaged_file_is_named_with_what_helps(path: Path, damage: str) -> None:
    Vault(path, MASTER_KEY).close()
    if damage == "no database":
        path.write_bytes(b"no database at all" * 1_000)
    elif damage == "a torn page":
        content = path.read_bytes()
        path.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])
    else:
        path.unlink()
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE citizens (name TEXT)")
        connection.close()

    with pytest.raises(
        VaultError, match=r"vault\.sqlite cannot be used: .* good copy in its place"
    ):
        Vault(path, MASTER_KEY).enrol("anna")


def test_two_processes_that_enrol_the_same_people_agree(path: Path, vault: Vault) -> None:
    program = (
        "import sys; from pathlib import Path; from ledger.vault.vault import Vault\n"
        "vault = Vault(Path(sys.argv[1]), bytes(range(32)))\n"
        "print(*(vault.enrol(f'person/{n}') for n in range(100)))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    one, other = (process.communicate(timeout=60)[0].split() for process in processes)
    assert one == other
    assert one == [vault.enrol(f"person/{n}") for n in range(100)]
