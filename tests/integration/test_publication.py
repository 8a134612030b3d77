"""What a running server publishes by itself, at its pace, and what one that stands by leaves to the other."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.codec import decode
from ledger.domain.areas import DefineArea
from ledger.domain.transparency import DigestAttested
from ledger.eventlog.port import Selection
from ledger.eventlog.sqlite import SQLiteLog
from projections.attestations import Attestor, attestable, check
from projections.catalogue import all_projections
from services.assembly import System, assembled, publishing
from services.publication import ATTESTATIONS, CHECKPOINTS, Publication
from services.settings import Settings
from services.upkeep import Upkeep

MODELS = {one.name for one in attestable(all_projections())}


def settings(folder: Path, **more: object) -> Settings:
    urls = {name: f"sqlite:///{folder}/{name}.sqlite" for name in ("log", "store", "vault")}
    return Settings.model_validate({**urls, "checkpoint_every": 0.05, **more})


@contextmanager
def running(chosen: Settings) -> Iterator[tuple[System, Publication]]:
    with (
        assembled(chosen) as system,
        publishing(chosen, system.log, system.public) as tree,
    ):
        publication = Publication(system, tree)
        with Upkeep(system, also=publication.jobs()).running():
            yield system, publication


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def attested(system: System) -> list[DigestAttested]:
    found = system.log.select([Selection(types=(DigestAttested.type,))])
    return [
        one for record in found if isinstance(one := decode(record.entry).event, DigestAttested)
    ]


def test_checkpoints_and_attestations_come_at_their_pace(tmp_path: Path) -> None:
    with running(settings(tmp_path, attest_every=0.3)) as (system, publication):
        system.ledger.execute(DefineArea(area="a", name="A"))
        wait_for(lambda: {one.model for one in attested(system)} == MODELS)
        wait_for(lambda: publication.status.published == 1 + len(MODELS))
        time.sleep(1)
        assert len(attested(system)) == len(MODELS), "attestations alone are no news"
        system.ledger.execute(DefineArea(area="b", name="B"))
        wait_for(lambda: len(attested(system)) == 2 * len(MODELS))
        assert not any(one.is_false for one in check(system.log, all_projections()))


def test_the_pace_goes_on_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(settings(tmp_path, attest_every=0.2)) as (system, _):
        system.ledger.execute(DefineArea(area="a", name="A"))
        wait_for(lambda: len(attested(system)) == len(MODELS))
        assert Attestor(system.ledger, system.store, all_projections()).last() is not None
        system.ledger.execute(DefineArea(area="b", name="B"))
        wait_for(lambda: len(attested(system)) == 2 * len(MODELS))
        system.ledger.execute(DefineArea(area="c", name="C"))
    with assembled(settings(tmp_path)) as system:
        before = len(attested(system))
    with running(settings(tmp_path, attest_every=3_600)) as (system, _):
        time.sleep(0.5)
        assert len(attested(system)) == before


def test_who_stands_by_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SQLiteLog, "leads", False)
    with running(settings(tmp_path, attest_every=0.05)) as (system, publication):
        system.ledger.execute(DefineArea(area="a", name="A"))
        time.sleep(0.7)
        assert publication.status.published is None
        assert attested(system) == []
        assert not system.public.path.exists()
        monkeypatch.setattr(SQLiteLog, "leads", True)
        wait_for(lambda: publication.status.published is not None)


def test_attestations_may_be_left_out(tmp_path: Path) -> None:
    chosen = settings(tmp_path, attest_every=0)
    with assembled(chosen) as system, publishing(chosen, system.log, system.public) as tree:
        assert Publication(system, tree).jobs().keys() == {CHECKPOINTS}
        more = Publication(system, tree)
        assert ATTESTATIONS not in more.jobs()


def test_a_log_in_memory_has_its_files_for_as_long(tmp_path: Path) -> None:
    chosen = Settings(log="memory:", store="memory:", vault="memory:")
    with assembled(chosen) as system, publishing(chosen, system.log, system.public) as tree:
        system.ledger.execute(DefineArea(area="a", name="A"))
        assert tree.catch_up().published == 1
        folder = system.public.path
        assert (folder / "checkpoint").exists()
        stop = threading.Event()
        stop.set()
        tree.follow(stop, 1.0)
    assert not folder.exists()
