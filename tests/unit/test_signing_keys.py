"""Signing keys: kept where only their owner reads them, and shown nowhere."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.transparency.keys import SignatureType, SigningKey
from services.signing_keys import KeyFile, KeysUnavailable, LogKeys, new_key

NAME = "ledger.example/x"


def log_keys(path: Path, environment: str | None = None, *, may_make: bool = True) -> LogKeys:
    return LogKeys(NAME, KeyFile(path, NAME), environment, may_make=may_make)


def test_a_new_key_is_random_and_its_owners_alone(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "folder" / "key", NAME)
    assert not file.exists()
    key = file.make()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [one.skey for one in file.read()] == [key.skey]
    assert key.skey != new_key(NAME).skey
    assert [path.name for path in file.path.parent.iterdir()] == ["key"]


def test_of_many_that_make_it_one_does(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: KeyFile(tmp_path / "key", NAME).make().skey, range(8))
    assert len(set(made)) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o601, 0o620])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = KeyFile(tmp_path / "key", NAME)
    file.make()
    file.path.chmod(mode)
    with pytest.raises(KeysUnavailable, match=rf"mode {mode:04o}.*chmod 600") as told:
        file.read()
    check_silent(told.value, (tmp_path / "key").read_text())
    file.path.chmod(0o400)
    assert file.read()


def check_silent(error: Exception, text: str) -> None:
    """No part of a key stands in the error."""
    for line in text.split():
        secret = line.split("+", 4)[-1]
        assert secret[:8] not in f"{error} {error!r} {error.__cause__!r}"


LOG = SigningKey(NAME, bytes(range(32)))
OTHER = SigningKey("ledger.example/y", bytes(range(32)))
WITNESS = SigningKey(NAME, bytes(range(32)), SignatureType.COSIGNATURE)
BAD = {
    "nothing": ("", "holds no signing key"),
    "half a key": (LOG.skey[:-9], "holds something that is no signing key"),
    "another's key": (OTHER.skey, "ledger.example/y.* does not sign as ledger.example/x"),
    "a witness's key": (WITNESS.skey, "does not sign as"),
    "a public key": (LOG.verifier.vkey, "no signing key"),
    "not text": ("Ä", "cannot be read"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_key_of_ours_is_refused_in_silence(tmp_path: Path, what: str) -> None:
    text, told = BAD[what]
    file = KeyFile(tmp_path / "key", NAME)
    file.path.write_text(text)
    file.path.chmod(0o600)
    with pytest.raises(KeysUnavailable, match=told) as refused:
        file.read()
    if what != "a public key":
        check_silent(refused.value, text)
    if what != "not text":
        with pytest.raises(KeysUnavailable, match=told):
            log_keys(tmp_path / "key", environment=text).signing(first=True)


def test_several_keys_sign_and_the_first_is_current(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "key", NAME)
    old, new = file.make(), new_key(NAME)
    file.replace([new, old])
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    keys = log_keys(file.path).signing(first=False)
    assert [one.skey for one in keys] == [new.skey, old.skey]
    environment = log_keys(file.path, f"{old.skey}  {new.skey}\n")
    assert environment.in_environment
    assert [one.skey for one in environment.signing(first=False)] == [old.skey, new.skey]


def test_a_key_is_made_only_where_nothing_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for keys, first in ((log_keys(path), False), (log_keys(path, may_make=False), True)):
        with pytest.raises(KeysUnavailable, match="put it back"):
            keys.signing(first=first)
        assert not path.exists()
    (made,) = log_keys(path).signing(first=True)
    (again,) = log_keys(path).signing(first=True)
    assert made.skey == again.skey


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysUnavailable, match="cannot be kept"):
        KeyFile(tmp_path / "file" / "key", NAME).make()
    (tmp_path / "folder").mkdir()
    with pytest.raises(KeysUnavailable, match="cannot be read"):
        KeyFile(tmp_path / "folder", NAME).read()
