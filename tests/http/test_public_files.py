"""The public files over HTTP, as C2SP tlog-tiles has them, and as a folder that is a full copy of the log."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ledger.eventlog.port import EVERYTHING
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.keys import VerifierKey
from ledger.transparency.tiles import decode_bundle
from projections.tree.publishing import TreeStatus
from services.api.operations import health
from services.checkpoint_metrics import CheckpointFigures
from services.metrics import Metrics
from tests.audit.go import build, verdict
from tests.http.town import Town
from tests.publishing import check_files

NOT_CANONICAL = [
    "tile/0/00",
    "tile/0/0000",
    "tile/0/000.p/256",
    "tile/0/000.p/0",
    "tile/0/000.p/07",
    "tile/0/000.p",
    "tile/00/000",
    "tile/64/000",
    "tile/0/x000/001",
    "tile/entries/",
    "tile/entries/000/",
    "tile/entries/%30%30%30",
    "tile/0/..%2F0/000",
    "tile/0/../../../log.sqlite",
    "tile/",
    "tile/0/000%00",
]


def covered(town: Town, position: int) -> int:
    """The size of a checkpoint that covers the position, which comes at once."""
    until = time.monotonic() + 5
    while True:
        size = published_size(town)
        if size >= position:
            return size
        assert time.monotonic() < until
        time.sleep(0.01)


def published_size(town: Town) -> int:
    answer = town.client.get("/checkpoint")
    if answer.status_code == 404:  # right after the start
        assert answer.headers["retry-after"] == "1"
        return -1
    key = VerifierKey.parse(town.client.get("/vkey").text.rstrip("\n"))
    return open_checkpoint(answer.content, [key]).checkpoint.size


def test_a_checkpoint_comes_with_the_event(town: Town) -> None:
    position = town.choose("ada", "plain", {"yes": 1}).json()["position"]
    assert covered(town, position) == town.system.log.head()
    answer = town.client.get("/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert answer.text.startswith("ledger.example/civic\n")
    assert town.client.get("/vkey").text.startswith("ledger.example/civic+")


def test_entries_and_hashes_are_served_for_ever(town: Town) -> None:
    size = covered(town, 1)
    for path in (f"tile/entries/000.p/{size}", f"tile/0/000.p/{size}"):
        answer = town.client.get(f"/{path}", headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "content-encoding" not in answer.headers
        assert answer.content == (town.system.public.path / path).read_bytes()
    entries = decode_bundle(town.client.get(f"/tile/entries/000.p/{size}").content, size)
    assert entries == [one.entry for one in town.system.log.select(EVERYTHING, limit=size)]


def test_bundles_are_compressed_where_that_is_understood(town: Town) -> None:
    path = f"/tile/entries/000.p/{covered(town, 1)}"
    plain, small = (
        town.client.get(path, headers={"Accept-Encoding": one}) for one in ("identity", "gzip")
    )
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == "Accept-Encoding"
    assert int(small.headers["content-length"]) < len(plain.content) / 2
    assert small.content == plain.content  # httpx has unpacked it


@pytest.mark.parametrize(
    "path", ["tile/0/001", "tile/0/000", "tile/1/000.p/1", "tile/entries/000.p/1", "tile/63/000"]
)
def test_what_does_not_exist_yet_is_a_problem(town: Town, path: str) -> None:
    covered(town, 1)
    answer = town.client.get(f"/{path}")
    assert (answer.status_code, answer.headers["retry-after"]) == (404, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["type"] == "/problems/not-published-yet"


@pytest.mark.parametrize("path", NOT_CANONICAL)
def test_a_path_is_written_in_one_way(town: Town, path: str) -> None:
    answer = town.client.get(f"/{path}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-such-path"


def test_the_folder_is_a_full_copy_that_others_verify(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> None:
    size = covered(town, town.system.log.head())
    folder = town.system.public.path
    assert check_files_of(town, folder) == size
    verifier = build(tmp_path_factory.mktemp("verifier"))
    vkey = town.client.get("/vkey").text.strip()
    said = verdict(verifier, "tree", "-vkey", vkey, folder)
    assert (said["ok"], said["size"], said["origin"]) == (True, size, "ledger.example/civic")


def check_files_of(town: Town, folder: Path) -> int:
    key = VerifierKey.parse((folder / "vkey").read_text().strip())
    return check_files(folder, town.system.log, key).size


def test_health_and_figures_show_checkpoints(town: Town) -> None:
    size = covered(town, town.system.log.head())
    told = town.client.get("/healthz").json()
    assert told["status"] == "ok"
    assert told["checkpoints"] == {
        "published": size, "signed": size, "held_back": None, "refused": None, "not_cosigned": {},
    }  # fmt: skip
    text = town.client.get("/metrics").text
    assert f"civic_checkpoint_published_size {float(size)}" in text
    assert "civic_checkpoint_held_back 0.0" in text


@pytest.mark.parametrize(
    "status",
    [TreeStatus(held_back="of 3 witnesses, 1 cosigned"), TreeStatus(refused="they part at 7")],
)
def test_what_keeps_checkpoints_from_coming_is_an_alarm(town: Town, status: TreeStatus) -> None:
    answer = health(town.upkeep, SimpleNamespace(status=status))  # type: ignore[arg-type]
    assert answer.status_code == 503
    assert b'"failing":["checkpoints"]' in bytes(answer.body)
    metrics = Metrics(town.upkeep)
    metrics.add(CheckpointFigures(lambda: status))
    name = b"held_back" if status.held_back else b"refused"
    assert b"civic_checkpoint_" + name + b" 1.0" in metrics.text()


def test_a_witness_that_is_missing_is_named() -> None:
    status = TreeStatus(missing={"w1": "has not answered within 5 s"})
    (family,) = [
        one
        for one in CheckpointFigures(lambda: status).collect()
        if one.name == "civic_witness_missing"
    ]
    assert [sample.labels for sample in family.samples] == [{"witness": "w1"}]
