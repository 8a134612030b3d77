"""Workers that are killed, that meet others, and that meet what they cannot fold."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger import codec
from ledger.codec import encode
from ledger.domain.areas import AreaAmended, AreaDefined, AreaRetired
from ledger.domain.event import Event
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, EventLog, NewEvent
from ledger.eventlog.sqlite import SQLiteLog
from projections.area import AreaProjection
from projections.catalogue import all_projections
from projections.digest import Digest, digest
from projections.projection import Folded, Rows
from projections.replay import rebuilt
from projections.stores.port import State, Store, StoreTooNew, StoreUnavailable
from projections.stores.sqlite import SQLiteStore
from projections.worker import ModelsHalted, Worker
from tests.failure.processes import all_at_once, begin, lines_until_killed, started

MODELS = [one.name for one in all_projections()]


def digests(store: Store) -> list[Digest]:
    return [digest(store, one, with_personal=True) for one in all_projections()]


def caught_up(log: EventLog, store: Store, batch: int = 1_000) -> list[Digest]:
    Worker(log, store, all_projections(), batch).catch_up()
    return digests(store)


@pytest.fixture(scope="module")
def expected(town_log: Path) -> list[Digest]:
    log = SQLiteLog(town_log)
    found = caught_up(log, SQLiteStore(None))
    assert {one.position for one in found} == {log.head()}
    log.close()
    return found


def test_killed_while_it_catches_up_it_goes_on_where_it_was(
    town: Path, expected: list[Digest], store_url: str, opened: Callable[[], Store]
) -> None:
    reached = 0
    for number in (1, 4, 15):
        with started("folding", town, store_url, 60) as process:
            begin([process])
            said = lines_until_killed(process, number)
        assert reached < int(said[0])
        reached = int(said[-1])
    log, store = SQLiteLog(town), opened()
    worker = Worker(log, store, all_projections())
    assert all(position >= reached for position in worker.positions.values())
    assert caught_up(log, store) == expected
    log.close()


KILLS = 50


def test_killed_fifty_times_while_it_catches_up(
    town: Path, expected: list[Digest], store_url: str, opened: Callable[[], Store]
) -> None:
    with started("killing", town, store_url, "project", KILLS, 1) as process:
        assert process.stdout is not None
        assert process.stdout.read().split() == [str(KILLS)]
    log, store = SQLiteLog(town), opened()
    behind = {one.position for one in store.generations()}
    assert 100 < max(behind) < log.head(), "it was killed underway, and not only at the beginning"
    assert caught_up(log, store) == expected
    log.close()


def test_killed_while_it_rebuilds_beside_a_live_worker(
    town: Path, expected: list[Digest], store_url: str, opened: Callable[[], Store]
) -> None:
    log, store = SQLiteLog(town), opened()
    worker = Worker(log, store, all_projections(), batch=20)
    worker.step()
    reached = 0
    for seed in range(3):
        with started("killing", town, store_url, "rebuild", KILLS // 5, seed) as process:
            assert process.stdout is not None
            assert process.stdout.read().split() == [str(KILLS // 5)]
        worker.step()
        (building,) = (one for one in store.generations() if one.state is State.BUILDING)
        assert building.number == 2, "each goes on with what the one before has left"
        assert building.position > reached
        reached = building.position
    now = rebuilt(log, store, AreaProjection())
    assert (now.number, now.state) == (2, State.LIVE)
    worker.catch_up()
    assert digests(store) == expected
    log.close()


def test_two_workers_on_one_store_do_the_work_of_one(
    town: Path, expected: list[Digest], store_url: str, opened: Callable[[], Store]
) -> None:
    with ExitStack() as stack:
        arguments = ("folding", town, store_url, 100)
        workers = [stack.enter_context(started(*arguments)) for _ in range(2)]
        said = all_at_once(workers)
    assert all(int(one[-1]) == expected[0].position for one in said)
    assert digests(opened()) == expected


@pytest.mark.parametrize("batch", [1, 7, 10_000])
def test_the_size_of_a_batch_makes_no_difference(
    town: Path, expected: list[Digest], batch: int
) -> None:
    log = SQLiteLog(town)
    if batch == 1:  # one transaction an event: a part of the town is enough
        part = MemoryLog()
        part.append_batch(
            [Append((NewEvent(*one[1:]),)) for one in log.select(EVERYTHING, limit=1_500)]
        )
        assert caught_up(part, SQLiteStore(None), batch) == caught_up(part, SQLiteStore(None))
    else:
        assert caught_up(log, SQLiteStore(None), batch) == expected
    log.close()


# What cannot be folded


def recorded(*events: Event | bytes) -> MemoryLog:
    """A log of events, and of entries of a type that nobody knows."""
    log = MemoryLog()
    for n, event in enumerate(events, 1):
        if isinstance(event, bytes):
            new = NewEvent("civic.weather.changed.v1", event, ())
        else:
            time = "2026-05-04T03:02:01.000000Z"
            entry = encode(event, event_id=f"{n}/1", source="x", time=time)
            new = NewEvent(event.type, entry, ())
        log.append_batch([Append((new,))])
    return log


AREAS = [AreaDefined(area=f"a{n}", name="A", kind="territory") for n in range(30)]
UNKNOWN = (
    b'{"data":{"sky":"grey"},"id":"w/1","subject":"weather","time":"2026-05-04T03:02:01.000000Z",'
    b'"type":"civic.weather.changed.v1"}'
)
RENAMED = AreaAmended(area="nowhere", name="Never defined")
"""Only the area model follows areas."""

BATCHES = pytest.mark.parametrize("batch", [1, 7, 10_000])


@BATCHES
def test_at_an_unknown_event_every_model_halts_right_before_it(batch: int) -> None:
    log, store = recorded(*AREAS[:10], UNKNOWN, *AREAS[10:]), SQLiteStore(None)
    worker = Worker(log, store, all_projections(), batch)
    with pytest.raises(
        ModelsHalted, match=r"halted at position 11 \(civic\.weather\.changed\.v1\)"
    ):
        worker.catch_up()
    assert worker.positions == dict.fromkeys(MODELS, 10)
    assert {halt.position for halt in worker.halted.values()} == {11}
    assert not worker.step()
    assert digests(store) == caught_up(recorded(*AREAS[:10]), SQLiteStore(None))


class Unsure(AreaProjection):
    """Looks something up for each area, in a store that is out of reach once in a while."""

    def __init__(self, outages: Iterator[bool]) -> None:
        super().__init__()
        self._outages = outages

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        for _ in events:
            if next(self._outages, False):
                raise StoreUnavailable("gone")
        super().fold(events, rows)


@BATCHES
def test_a_store_that_is_out_of_reach_is_no_fault_of_an_event(batch: int) -> None:
    log, store = recorded(*AREAS), SQLiteStore(None)
    worker = Worker(log, store, [Unsure(iter([False] * 12 + [True, True]))], batch)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="gone"):
            worker.catch_up()
        assert not worker.halted
    worker.catch_up()
    assert worker.positions == {"area": len(AREAS)}


@BATCHES
def test_at_an_event_that_one_model_cannot_fold_the_others_go_on(batch: int) -> None:
    log, store = recorded(*AREAS[:10], RENAMED, *AREAS[10:]), SQLiteStore(None)
    worker = Worker(log, store, all_projections(), batch)
    with pytest.raises(ModelsHalted, match="the model 'area' halted at position 11") as halted:
        worker.catch_up()
    assert "the area 'nowhere' was never defined" in str(halted.value)
    assert worker.positions == {**dict.fromkeys(MODELS, 31), "area": 10}
    assert list(worker.halted) == ["area"]
    before = caught_up(recorded(*AREAS[:10]), SQLiteStore(None))
    assert digest(store, AreaProjection()) == before[MODELS.index("area")]


def test_with_a_program_that_knows_the_event_the_models_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, store = recorded(*AREAS[:10], UNKNOWN, *AREAS[10:]), SQLiteStore(None)
    with pytest.raises(ModelsHalted):
        Worker(log, store, all_projections()).catch_up()

    class WeatherChanged(Event):
        type = "civic.weather.changed.v1"
        sky: str

    monkeypatch.setitem(codec.EVENT_BY_TYPE, WeatherChanged.type, WeatherChanged)
    assert {one.position for one in caught_up(log, store)} == {31}


class Odd(AreaProjection):
    """The area model of a later version, which starts from nothing."""

    version = AreaProjection.version + 1


def test_a_new_version_of_a_model_is_folded_from_the_beginning() -> None:
    log, store = recorded(*AREAS[:10]), SQLiteStore(None)
    caught_up(log, store)
    worker = Worker(log, store, [Odd()])
    assert worker.reached() == 0
    assert worker.positions == {"area": 10}, "until it has caught up, the former version is read"
    worker.catch_up()
    assert digest(store, Odd()).position == 10
    with pytest.raises(StoreTooNew, match=r"'area' is of version 3; this program knows version 2"):
        Worker(log, store, all_projections())


def test_a_worker_whose_generation_was_dropped_goes_on_with_the_one_that_is_read(
    opened: Callable[[], Store],
) -> None:
    log, store = recorded(*AREAS), opened()
    worker = Worker(log, store, [AreaProjection()])
    worker.catch_up()
    for number in (2, 3):
        assert rebuilt(log, store, AreaProjection()).number == number
    retired = AreaRetired(area="a7")  # its fold looks the area up, in tables that are gone
    entry = encode(retired, event_id="r/1", source="x", time="2026-05-04T03:02:01.000000Z")
    log.append_batch([Append((NewEvent(retired.type, entry, ()),))])
    with pytest.raises(StoreUnavailable):
        worker.catch_up()
    assert worker.catch_up() == log.head()
    assert digest(store, AreaProjection()).position == log.head()


def test_models_that_are_ahead_of_their_log_are_refused() -> None:
    """As after the log was replaced by an older copy: what comes next would be missed in silence."""
    store = SQLiteStore(None)
    caught_up(recorded(*AREAS[:10]), store)
    with pytest.raises(StoreUnavailable, match=r"stands at position 10, but the log ends at 9"):
        Worker(recorded(*AREAS[:9]), store, all_projections())


@pytest.mark.parametrize("damage", [b"no database " * 1_000, None], ids=["no database", "a page"])
def test_a_damaged_store_says_that_it_may_be_deleted(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "store.sqlite"
    store = SQLiteStore(path)
    caught_up(recorded(*AREAS), store)
    store.close()
    content = path.read_bytes()
    path.write_bytes(damage or content[:16384] + b"\xa5" * 32768 + content[49152:])
    with pytest.raises(StoreUnavailable, match="delete it, and run `civic-ledger project`"):
        caught_up(recorded(*AREAS), SQLiteStore(path))
