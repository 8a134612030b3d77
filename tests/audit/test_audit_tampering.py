"""The table of tampering: what is done to a log's public files, where our auditor finds it, and what Go's says.

Where hashes, tiles or the checkpoint are wrong, the program in Go over other people's libraries finds it too; where
everything is hashed and signed again with the true key, only the rules and what was seen before can tell.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from ledger.transparency.checkpoint import parse_checkpoint, sign_checkpoint
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import consistency_proof
from ledger.transparency.note import parse_note
from ledger.transparency.strict import base64_of
from ledger.transparency.tiles import decode_bundle, encode_bundle
from services.audit.findings import Kind
from tests.audit.auditing import KEY, audited, folder_of, found, honest
from tests.audit.go import verdict
from tests.audit.trees import nodes_of, write, write_tree

SIZE = 600
"""Two full bundles and one that is not; two tiles of level 0 and a half, one of level 1."""

Folder = Callable[[Path], object]


def entries(count: int = SIZE) -> list[bytes]:
    """The small honest log, and people who move in until there are so many entries."""
    some = list(honest())
    like = next(one for one in some if b"citizen.registered" in one)
    event = orjson.loads(like)
    last = orjson.loads(some[-1])["time"]
    for number in range(len(some), count):
        event |= {"id": f"more{number}/1", "time": last}
        event["data"] = {"home": "pl/b", "person": f"{number:032x}"}
        some.append(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))
    return some


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("log"), entries())


@pytest.fixture
def copy(log: Path, tmp_path: Path) -> Path:
    return shutil.copytree(log, tmp_path / "copy", copy_function=shutil.copyfile)


def flip(path: str, at: int) -> Folder:
    def change(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= 1
        (folder / path).write_bytes(data)

    return change


def remove(*paths: str) -> Folder:
    def change(folder: Path) -> None:
        for path in paths:
            (folder / path).unlink()

    return change


def rewrite(path: str, change: Callable[[bytes], bytes]) -> Folder:
    return lambda folder: write(folder / path, change((folder / path).read_bytes()))


def signed_anew(**changes: object) -> Folder:
    def change(folder: Path) -> None:
        real = parse_checkpoint(parse_note((folder / "checkpoint").read_bytes()).text)
        write(folder / "checkpoint", sign_checkpoint(real._replace(**changes), KEY))

    return change


def byte_of(position: int) -> Folder:
    """One byte in the middle of an entry."""
    index = (position - 1) // 256
    path = f"tile/entries/{index:03}" + (f".p/{SIZE % 256}" if index == SIZE // 256 else "")
    before = sum(len(one) + 2 for one in entries()[index * 256 : position - 1])
    return flip(path, before + 2 + len(entries()[position - 1]) // 2)


class Tampering(NamedTuple):
    """What is done, and which findings must be among those of our auditor: kind, first and last position."""

    change: Folder
    kind: Kind
    first: int | None
    last: int | None = None
    file: str | None = None


FILES: dict[str, Tampering] = {
    "a byte of an entry": Tampering(byte_of(300), Kind.ENTRY, 300),
    "a byte of the first entry": Tampering(byte_of(1), Kind.ENTRY, 1),
    "a byte of the last entry": Tampering(byte_of(SIZE), Kind.ENTRY, SIZE),
    "a byte of a tile of level 0": Tampering(
        flip("tile/0/001", 32 * 10), Kind.TILE, 267, file="tile/0/001"
    ),
    "a byte of a partial tile of level 0": Tampering(
        flip("tile/0/002.p/88", 32 * 10 + 31), Kind.TILE, 523, file="tile/0/002.p/88"
    ),
    "a byte of a tile of level 1": Tampering(
        flip("tile/1/000.p/2", 32), Kind.TILE, 257, 512, "tile/1/000.p/2"
    ),
    "a partial tile missing": Tampering(
        remove("tile/0/002.p/88"), Kind.MISSING_FILE, 513, SIZE, "tile/0/002.p/88"
    ),
    "a partial tile of level 1 missing": Tampering(
        remove("tile/1/000.p/2"), Kind.MISSING_FILE, 1, 512, "tile/1/000.p/2"
    ),
    "a tile missing": Tampering(remove("tile/0/001"), Kind.MISSING_FILE, 257, 512, "tile/0/001"),
    "a tile that ends early": Tampering(
        rewrite("tile/0/001", lambda data: data[:-32]), Kind.MALFORMED_FILE, 257, 512, "tile/0/001"
    ),
    "a tile of level 1 that ends early": Tampering(
        rewrite("tile/1/000.p/2", lambda data: data[:-1]),
        Kind.MALFORMED_FILE,
        1,
        512,
        "tile/1/000.p/2",
    ),
    "a bundle missing": Tampering(
        remove("tile/entries/001"), Kind.MISSING_FILE, 257, 512, "tile/entries/001"
    ),
    "a partial bundle missing": Tampering(
        remove("tile/entries/002.p/88"), Kind.MISSING_FILE, 513, SIZE, "tile/entries/002.p/88"
    ),
    "a bundle and its hashes missing": Tampering(
        remove("tile/entries/001", "tile/0/001"), Kind.MISSING_FILE, 257, 512, "tile/0/001"
    ),
    "an entry less": Tampering(
        rewrite("tile/entries/001", lambda data: encode_bundle(decode_bundle(data)[:-1])),
        Kind.MALFORMED_FILE,
        257,
        512,
        "tile/entries/001",
    ),
    "two entries change places": Tampering(
        rewrite(
            "tile/entries/001",
            lambda data: encode_bundle([*(e := decode_bundle(data))[1::-1], *e[2:]]),
        ),
        Kind.ENTRY,
        257,
    ),
    "the size line": Tampering(
        rewrite("checkpoint", lambda data: data.replace(b"\n600\n", b"\n599\n")),
        Kind.SIGNATURE,
        None,
        file="checkpoint",
    ),
    "the head line": Tampering(
        rewrite("checkpoint", lambda data: data.replace(data.split(b"\n")[2], b"A" * 43 + b"=")),
        Kind.SIGNATURE,
        None,
    ),
    "the origin": Tampering(
        rewrite("checkpoint", lambda data: data.replace(b"ledger", b"lodger", 1)),
        Kind.SIGNATURE,
        None,
    ),
    "the head, signed": Tampering(signed_anew(head=bytes(32)), Kind.HEAD, None),
    "the size, signed": Tampering(signed_anew(size=SIZE - 1), Kind.MISSING_FILE, 513, SIZE - 1),
}


@pytest.mark.parametrize("what", FILES)
def test_files_that_were_tampered_with(verifier: Path, copy: Path, what: str) -> None:
    change, kind, first, last, file = FILES[what]
    change(copy)
    report = audited(copy)
    assert not report.clean
    of_kind = [one for one in report.findings.listed() if one.kind == kind]
    assert of_kind, report.findings.listed()
    match = [one for one in of_kind if one.position == first]
    assert match, of_kind
    if last is not None:
        assert {one.last for one in match} == {last}
    if file is not None:
        assert file in {one.file for one in match}
    said = verdict(verifier, "tree", "-vkey", KEY.verifier.vkey, copy)
    assert not said["ok"]


def test_nothing_is_found_where_nothing_was_done(verifier: Path, log: Path) -> None:
    report = audited(log)
    assert report.findings.listed() == []
    assert report.numbers.entries == SIZE
    assert report.numbers.tiles == 4
    assert verdict(verifier, "tree", "-vkey", KEY.verifier.vkey, log)["ok"]


def test_an_entry_that_was_changed_is_the_only_thing_named_beside_the_head(copy: Path) -> None:
    byte_of(300)(copy)
    kinds = [one for one in found(audited(copy)) if one[0] in (Kind.ENTRY, Kind.TILE, Kind.HEAD)]
    assert set(kinds) == {(Kind.ENTRY, 300), (Kind.HEAD, None)}


def test_another_key_is_not_the_logs(verifier: Path, log: Path) -> None:
    namesake = SigningKey(KEY.verifier.name, bytes(32)).verifier
    report = audited(log, keys=(namesake,))
    assert found(report) == {(Kind.SIGNATURE, None)}
    assert not verdict(verifier, "tree", "-vkey", namesake.vkey, log)["ok"]


# What only somebody who was there before can know


class Seen(NamedTuple):
    folder: Path
    state: Path


@pytest.fixture
def seen(log: Path, tmp_path: Path) -> Seen:
    """A log that was audited once, with a state file, and found right."""
    state = tmp_path / "state"
    assert audited(log, state=state).clean
    return Seen(log, state)


def changed(some: list[bytes], position: int) -> list[bytes]:
    """Another person moved in at this position."""
    other = some[position - 1].replace(b'"person":"0', b'"person":"f')
    assert other != some[position - 1]
    return [*some[: position - 1], other, *some[position:]]


FORKS: dict[str, tuple[Callable[[], list[bytes]], Kind, int | None]] = {
    "an event taken out": (lambda: _without(entries(700), 550), Kind.REWRITTEN, 550),
    "an event taken out, none added": (lambda: _without(entries(), 550), Kind.REWRITTEN, 550),
    "an event changed, others added": (lambda: changed(entries(700), 400), Kind.REWRITTEN, 400),
    "an event changed in the last bundle": (
        lambda: changed(entries(700), 590),
        Kind.REWRITTEN,
        590,
    ),
    "two checkpoints of one size": (lambda: changed(entries(), 400), Kind.FORK, 400),
    "a shorter log": (lambda: entries(500), Kind.WENT_BACK, None),
    "a shorter log of other events": (lambda: changed(entries(500), 400), Kind.REWRITTEN, 400),
}


def _without(some: list[bytes], position: int) -> list[bytes]:
    return [*some[: position - 1], *some[position:]]


@pytest.mark.parametrize("what", FORKS)
def test_history_rewritten_and_signed_with_the_true_key(
    verifier: Path, seen: Seen, tmp_path: Path, what: str
) -> None:
    make, kind, position = FORKS[what]
    rewritten = folder_of(tmp_path / "rewritten", make())
    assert audited(rewritten).clean, "by itself nothing is wrong with it"
    assert verdict(verifier, "tree", "-vkey", KEY.verifier.vkey, rewritten)["ok"]
    report = audited(rewritten, state=seen.state)
    assert found(report) == {(kind, position)}
    assert any("not the log" in one for one in report.unchecked)
    again = audited(seen.folder, state=seen.state)
    assert again.clean, "what was found wrong is not remembered"


@pytest.mark.parametrize("what", ["an event changed, others added", "two checkpoints of one size"])
def test_other_peoples_verifier_sees_the_fork_between_two_checkpoints(
    verifier: Path, log: Path, tmp_path: Path, what: str
) -> None:
    fork = folder_of(tmp_path / "fork", FORKS[what][0]())
    sizes = [
        parse_checkpoint(parse_note((one / "checkpoint").read_bytes()).text).size
        for one in (log, fork)
    ]
    proof = consistency_proof(*sizes, nodes_of(fork, sizes[1]))
    hashes = write(tmp_path / "hashes", "".join(f"{base64_of(one)}\n" for one in proof).encode())
    files = (log / "checkpoint", fork / "checkpoint", hashes)
    said = verdict(verifier, "consistency", "-vkey", KEY.verifier.vkey, *files)
    assert not said["ok"]


def test_a_fork_signed_with_another_key(verifier: Path, seen: Seen, tmp_path: Path) -> None:
    thief = SigningKey(KEY.verifier.name, bytes(32))
    write_tree(tmp_path / "fork", changed(entries(), 400), thief)
    report = audited(tmp_path / "fork", state=seen.state)
    assert found(report) == {(Kind.SIGNATURE, None)}
    vkey = KEY.verifier.vkey
    assert not verdict(verifier, "tree", "-vkey", vkey, tmp_path / "fork")["ok"]


def test_the_log_went_on(seen: Seen, tmp_path: Path) -> None:
    longer = folder_of(tmp_path / "longer", entries(700))
    report = audited(longer, state=seen.state)
    assert report.clean
    assert (report.numbers.entries, report.numbers.new) == (700, 100)
    assert report.seen is not None
    assert report.seen[0] == SIZE


def test_an_old_entry_is_changed_in_a_log_that_went_on(seen: Seen, tmp_path: Path) -> None:
    """In the bundle that was not full when it was seen; its hashes are as they were."""
    longer = folder_of(tmp_path / "longer", entries(700))
    bundle = decode_bundle((longer / "tile/entries/002.p/188").read_bytes(), 188)
    bundle[590 - 513] = bundle[590 - 513].replace(b"person", b"perzon")
    write(longer / "tile/entries/002.p/188", encode_bundle(bundle))
    places = found(audited(longer, state=seen.state))
    assert places >= {(Kind.REWRITTEN, 513), (Kind.ENTRY, 590), (Kind.HEAD, None)}


def test_a_state_file_of_another_log(seen: Seen, tmp_path: Path) -> None:
    from services.audit.source import CannotRead

    other = SigningKey("other.example", bytes(range(32)))
    write_tree(tmp_path / "other", entries(), other)
    with pytest.raises(CannotRead, match="remembers the log"):
        audited(tmp_path / "other", keys=(other.verifier,), state=seen.state)
