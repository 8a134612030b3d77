"""Other people's libraries find our files true, and find what was tampered with."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.transparency.checkpoint import parse_checkpoint, sign_checkpoint
from ledger.transparency.keys import SignatureType, SigningKey
from ledger.transparency.merkle import consistency_proof, inclusion_proof
from ledger.transparency.note import parse_note
from ledger.transparency.proof import LogProof
from ledger.transparency.strict import base64_of
from ledger.transparency.tiles import TILE_WIDTH, decode_bundle, encode_bundle
from tests.audit.go import verdict
from tests.audit.trees import nodes_of, write, write_tree

LOG = SigningKey("ledger.example/town", bytes(range(32)))
VKEY = ("-vkey", LOG.verifier.vkey)
SIZES = (0, 1, 255, 256, 257, 70_000)
LARGE = max(SIZES)
ENTRIES = [b'{"id":"%d","source":"ledger.example/town"}' % n for n in range(LARGE)]

Logs = dict[int, Path]
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """A folder for each size. Who changes one takes a copy."""
    folders = {size: tmp_path_factory.mktemp(f"log-{size}") for size in (*SIZES, 69_999)}
    for size, folder in folders.items():
        write_tree(folder, ENTRIES[:size], LOG)
    return folders


def checkpoint_of(folder: Path) -> bytes:
    return (folder / "checkpoint").read_bytes()


# Whole logs


@pytest.mark.parametrize("size", SIZES)
def test_a_log_is_verified(verifier: Path, logs: Logs, size: int) -> None:
    said = verdict(verifier, "tree", *VKEY, logs[size])
    head = checkpoint_of(logs[size]).decode().split("\n")[2]
    assert said == {"ok": True, "origin": LOG.verifier.name, "size": size, "head": head}


def test_an_empty_log_is_a_checkpoint(logs: Logs) -> None:
    assert [path.name for path in logs[0].rglob("*")] == ["checkpoint"]


def flip(path: str, at: int) -> Change:
    def change(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= 1
        (folder / path).write_bytes(data)

    return change


def remove(path: str) -> Change:
    return lambda folder: (folder / path).unlink()


def rewrite(path: str, change: Callable[[bytes], bytes]) -> Change:
    return lambda folder: write(folder / path, change((folder / path).read_bytes()))


def signed_anew(**changes: object) -> Change:
    """With the log's own key: what only the entries themselves can contradict."""

    def change(folder: Path) -> None:
        real = parse_checkpoint(parse_note(checkpoint_of(folder)).text)
        write(folder / "checkpoint", sign_checkpoint(real._replace(**changes), LOG))

    return change


TAMPERED: dict[str, tuple[Change, str]] = {
    "a byte of an entry": (flip("tile/entries/100", 5), "tile/0/100"),
    "a byte of the last entry": (flip("tile/entries/273.p/112", -1), "tile/0/273.p/112"),
    "the length of an entry": (flip("tile/entries/100", 1), "require|dangling|log has"),
    "an entry less": (
        rewrite("tile/entries/100", lambda data: encode_bundle(decode_bundle(data)[:-1])),
        "panic",
    ),
    "an entry more": (
        rewrite(
            "tile/entries/273.p/112", lambda data: encode_bundle([*decode_bundle(data, 112), b"x"])
        ),
        "holds 113 entries, not 112",
    ),
    "a bundle missing": (remove("tile/entries/272"), "resource not found"),
    "a partial bundle missing": (remove("tile/entries/273.p/112"), "neither partial nor full"),
    "a byte of a tile of level 0": (flip("tile/0/007", 40), "fsck: failed: tile/0/007"),
    "a byte of a partial tile of level 0": (flip("tile/0/273.p/112", 40), "tile/0/273.p/112"),
    "a byte of a tile of level 1": (flip("tile/1/000", 8191), "fsck: failed: tile/1/000"),
    "a byte of a partial tile of level 1": (flip("tile/1/001.p/17", 0), "tile/1/001.p/17"),
    "a byte of a tile of level 2": (flip("tile/2/000.p/1", 0), "tile/2/000.p/1"),
    "a tile missing": (remove("tile/0/007"), "resource not found"),
    "a partial tile missing": (remove("tile/0/273.p/112"), "neither partial nor full"),
    "a partial tile of level 2 missing": (remove("tile/2/000.p/1"), "neither partial nor full"),
    "a tile that ends early": (
        rewrite("tile/0/007", lambda data: data[:-32]),
        "fsck: failed: tile/0/007",
    ),
    "the size line": (
        rewrite("checkpoint", lambda data: data.replace(b"\n70000\n", b"\n69999\n")),
        "invalid signature",
    ),
    "the size line, with a zero in front": (
        rewrite("checkpoint", lambda data: data.replace(b"\n70000\n", b"\n070000\n")),
        "invalid signature",
    ),
    "the origin": (
        rewrite("checkpoint", lambda data: data.replace(b"town\n", b"city\n", 1)),
        "invalid signature",
    ),
    "the checkpoint without its signature": (
        rewrite("checkpoint", lambda data: data[: data.index(b"\n\n") + 2]),
        "malformed note",
    ),
    "the head, signed": (signed_anew(head=bytes(32)), "calculated root"),
    "the size, signed": (signed_anew(size=LARGE - 1), "fsck: "),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found(verifier: Path, logs: Logs, tmp_path: Path, what: str) -> None:
    change, found = TAMPERED[what]
    folder = shutil.copytree(logs[LARGE], tmp_path / "log", copy_function=shutil.copyfile)
    change(folder)
    said = verdict(verifier, "tree", *VKEY, folder)
    assert not said["ok"]
    assert any(part in said["error"] for part in found.split("|")), said


def test_a_check_that_does_not_end_has_verified_nothing(
    verifier: Path, logs: Logs, tmp_path: Path
) -> None:
    """Each file that fsck cannot read ends one of its workers, and without workers it waits for ever."""
    folder = shutil.copytree(logs[LARGE], tmp_path / "log", copy_function=shutil.copyfile)
    for number in range(200):
        (folder / f"tile/0/{number:03}").unlink()
    said = verdict(verifier, "tree", *VKEY, "-limit", "1s", folder)
    assert said["error"] == "not done after 1s"


def test_a_wrong_key_verifies_nothing(verifier: Path, logs: Logs) -> None:
    namesake = SigningKey(LOG.verifier.name, bytes(32)).verifier.vkey
    other = SigningKey("other.example", bytes(range(32))).verifier.vkey
    for vkey in (namesake, other):
        said = verdict(verifier, "tree", "-vkey", vkey, logs[257])
        assert "no verifiable signatures" in said["error"]
    said = verdict(verifier, "tree", "-vkey", VKEY[1].replace("+", "+0", 1), logs[257])
    assert "malformed verifier id" in said["error"]


def test_a_full_tile_may_stand_for_a_partial_one(
    verifier: Path, logs: Logs, tmp_path: Path
) -> None:
    """As where a log has grown since its checkpoint, and removed the partial tiles."""
    folder = shutil.copytree(logs[255], tmp_path / "log", copy_function=shutil.copyfile)
    for path in ("tile/0/000", "tile/entries/000"):
        shutil.copyfile(logs[256] / path, folder / path)
        (folder / f"{path}.p/255").unlink()
    assert verdict(verifier, "tree", *VKEY, folder)["ok"]


# Proofs


def proof_of(folder: Path, size: int, index: int) -> LogProof:
    hashes = inclusion_proof(index, size, nodes_of(folder, size))
    return LogProof(index, tuple(hashes), checkpoint_of(folder), b"extra" if index % 2 else None)


@pytest.mark.parametrize(
    ("size", "index"),
    [(1, 0), (255, 254), (256, 0), (257, 256), (LARGE, 0), (LARGE, 65_536), (LARGE, LARGE - 1)],
)
def test_a_proof_is_verified(
    verifier: Path, logs: Logs, tmp_path: Path, size: int, index: int
) -> None:
    proof = proof_of(logs[size], size, index)
    file = write(tmp_path / "proof", proof.encode())
    entry = write(tmp_path / "entry", ENTRIES[index])
    assert verdict(verifier, "proof", *VKEY, file, entry)["size"] == size
    other = write(tmp_path / "other", ENTRIES[index] + b" ")
    assert not verdict(verifier, "proof", *VKEY, file, other)["ok"]
    if proof.hashes:
        shorter = LogProof(index, proof.hashes[1:], proof.checkpoint, proof.extra)
        elsewhere = LogProof(index ^ 1, proof.hashes, proof.checkpoint, proof.extra)
        for wrong in (shorter, elsewhere):
            write(file, wrong.encode())
            assert not verdict(verifier, "proof", *VKEY, file, entry)["ok"]


@pytest.mark.parametrize(
    ("old", "new"),
    [(0, 1), (1, 255), (255, 256), (256, 257), (257, LARGE), (69_999, LARGE), (0, 0), (256, 256)],
)
def test_consistency_is_verified(
    verifier: Path, logs: Logs, tmp_path: Path, old: int, new: int
) -> None:
    proof = consistency_proof(old, new, nodes_of(logs[new], new))
    hashes = write(tmp_path / "hashes", "".join(f"{base64_of(one)}\n" for one in proof).encode())
    files = (logs[old] / "checkpoint", logs[new] / "checkpoint", hashes)
    assert verdict(verifier, "consistency", *VKEY, *files)["size"] == new
    if old < new and old:
        fork = write_tree(tmp_path / "fork", [*ENTRIES[: old - 1], b"another"], LOG)
        assert fork.size == old
        files = (tmp_path / "fork" / "checkpoint", *files[1:])
        assert not verdict(verifier, "consistency", *VKEY, *files)["ok"]


# Witnesses


def test_cosignatures_are_verified(verifier: Path, logs: Logs, tmp_path: Path) -> None:
    witnesses = [
        SigningKey(f"witness.example/{n}", bytes([n] * 32), SignatureType.COSIGNATURE)
        for n in (1, 2, 3)
    ]
    note = parse_note(checkpoint_of(logs[257]))
    for witness in witnesses[:2]:
        note = note.signed_too(witness.cosign(note.text, 1_700_000_000))
    file = write(tmp_path / "checkpoint", note.encode())
    keys = [part for one in witnesses for part in ("-witness", one.verifier.vkey)]
    assert verdict(verifier, "checkpoint", *VKEY, *keys, "-quorum", 2, file)["size"] == 257
    said = verdict(verifier, "checkpoint", *VKEY, *keys, "-quorum", 3, file)
    assert said["error"] == "2 witnesses cosigned, not 3"
    false = witnesses[2].cosign(note.text, 1_700_000_000)._replace(value=bytes(72))
    write(file, note.signed_too(false).encode())
    said = verdict(verifier, "checkpoint", *VKEY, *keys, "-quorum", 2, file)
    assert "invalid signature for key witness.example/3" in said["error"]
    folder = write(tmp_path / "log" / "checkpoint", note.encode()).parent
    shutil.copytree(logs[257] / "tile", folder / "tile")
    assert verdict(verifier, "tree", *VKEY, *keys, "-quorum", 2, folder)["ok"]


def test_the_large_log_has_what_the_specification_says(logs: Logs) -> None:
    assert len(list((logs[LARGE] / "tile/0").glob("???"))) == LARGE // TILE_WIDTH
    assert (logs[LARGE] / "tile/2/000.p/1").stat().st_size == 32
