"""The part of a store's contract that is about generations, halts and workers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.stores.port import (
    Generation,
    Halt,
    NothingToBringBack,
    State,
    Store,
    StoreTooNew,
    StoreUnavailable,
    Work,
)
from tests.contracts.places import (
    LATER,
    NOTE,
    OTHER,
    PLACES,
    Wider,
    notes,
    read,
    write,
)


class GenerationsContract(ABC):
    """Holds for every store."""

    @abstractmethod
    def open_store(self, place: Any) -> Store:
        """A store in a place; opened again, it is the same one, where a place can be opened again."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Any:
        return tmp_path / "store.sqlite"

    @pytest.fixture
    def store(self, place: Any) -> Iterator[Store]:
        store = self.open_store(place)
        yield store
        store.close()

    # Generations

    def test_a_rebuild_stands_beside_until_it_goes_live(self, store: Store) -> None:
        old = write(store, store.prepare(PLACES), 5, ("a", "old", None))
        new = store.rebuild(PLACES)
        assert new == Generation("places", 2, 2, State.BUILDING, 0)
        new = write(store, new, 3, ("a", "new", None))
        assert store.rebuild(PLACES) == new, "interrupted, it goes on"
        assert store.prepare(PLACES) == old, "the live worker stays with the one that is read"
        assert not store.go_live(new), "it is behind"
        old = write(store, old, 6, ("b", "old", None))
        assert notes(store) == [("a", "old"), ("b", "old")]
        new = write(store, new, 7)
        assert store.go_live(new)
        assert store.go_live(new), "it is so already"
        assert notes(store) == [("a", "new")]
        with store.snapshot() as at:
            assert at.position("places") == 7
        assert [(one.number, one.state) for one in store.generations()] == [
            (1, State.KEPT),
            (2, State.LIVE),
        ]

    def test_a_worker_of_the_former_generation_cannot_advance_it(self, store: Store) -> None:
        old, new = store.prepare(PLACES), store.rebuild(PLACES)
        assert store.go_live(new)
        assert not store.advance(old, store.batch(old), after=0, to=1)
        assert store.prepare(PLACES).number == new.number

    def test_the_former_generation_comes_back(self, store: Store) -> None:
        write(store, store.prepare(PLACES), 5, ("a", "old", None))
        with pytest.raises(NothingToBringBack, match="No former generation"):
            store.bring_back(PLACES)
        new = write(store, store.rebuild(PLACES), 8, ("a", "new", None))
        assert store.go_live(new)
        former = store.bring_back(PLACES)
        assert (former.number, former.position, former.state) == (1, 5, State.RETURNING)
        assert store.bring_back(PLACES) == former, "interrupted, it goes on"
        assert not store.go_live(former)
        former = write(store, former, 8, ("b", "old", None))
        assert store.go_live(former)
        assert notes(store) == [("a", "old"), ("b", "old")]
        assert store.bring_back(PLACES).number == new.number

    def test_the_next_rebuild_drops_what_is_kept(self, store: Store) -> None:
        for number in (1, 2, 3, 4):
            generation = store.rebuild(PLACES) if number > 1 else store.prepare(PLACES)
            assert generation.number == number
            write(store, generation, 1, ("a", f"{number}", None))
            assert store.go_live(generation)
            assert [one.number for one in store.generations()] == [1, 2, 3, 4][:number][-2:]
            assert notes(store) == [("a", f"{number}")]
        with pytest.raises(
            StoreUnavailable, match="Generation 1 of the model 'places' was dropped"
        ):
            store.look_up("places", 1)

    def test_a_worker_of_a_dropped_generation_is_told_so(self, store: Store) -> None:
        dropped = store.prepare(PLACES)
        for _ in range(2):
            assert store.go_live(store.rebuild(PLACES))
        with pytest.raises(StoreUnavailable):
            store.batch(dropped).get(NOTE, ("a",))
        assert not store.advance(dropped, store.batch(dropped), after=0, to=1)

    def test_a_newer_version_is_built_beside_one_that_can_answer(self, store: Store) -> None:
        write(store, store.prepare(PLACES), 5, ("a", "old", None))
        new = store.prepare(LATER)
        assert (new.number, new.version, new.state) == (2, 3, State.BUILDING)
        assert store.prepare(LATER) == store.rebuild(LATER) == new
        assert notes(store) == [("a", "old")]
        assert store.prepare(PLACES).number == 1, "programs of both versions run at the same time"
        write(store, new, 5)
        assert store.go_live(new)
        assert notes(store) == []

    def test_a_newer_version_is_live_at_once_where_the_older_cannot_answer(
        self, store: Store
    ) -> None:
        write(store, store.prepare(PLACES), 5, ("a", "old", None))
        wider = store.prepare(Wider())
        assert (wider.number, wider.state, wider.position) == (2, State.LIVE, 0)
        assert read(store, "SELECT work FROM who") == notes(store) == []
        assert [one.state for one in store.generations()] == [State.KEPT, State.LIVE]

    def test_an_older_program_is_refused_with_both_versions_named(self, store: Store) -> None:
        for _ in range(2):
            new = store.prepare(LATER)
        for refused in (store.prepare, store.rebuild):
            with pytest.raises(
                StoreTooNew, match="'places' is of version 3; this program knows version 2"
            ):
                refused(PLACES)
        newest = store.rebuild(LATER)
        assert (new.number, newest.number) == (1, 2)

    def test_a_generation_of_another_version_does_not_come_back(self, store: Store) -> None:
        store.prepare(PLACES)
        assert store.go_live(store.prepare(LATER))
        with pytest.raises(
            NothingToBringBack,
            match=r"Generation 1 .* is of version 2; this program knows version 3",
        ):
            store.bring_back(LATER)
        former = store.bring_back(PLACES)  # the program that it was built with may
        assert store.go_live(former)
        assert store.prepare(PLACES).number == 1

    def test_a_build_of_an_older_version_gives_way(self, store: Store) -> None:
        store.prepare(PLACES)
        left = store.rebuild(PLACES)
        new = store.prepare(LATER)
        assert (new.number, new.version) == (left.number + 1, 3)
        with pytest.raises(StoreTooNew):
            store.rebuild(PLACES)

    def test_models_do_not_touch_each_other(self, store: Store) -> None:
        store.prepare(OTHER)
        store.prepare(PLACES)
        assert store.go_live(store.rebuild(PLACES))
        assert [(one.model, one.number) for one in store.generations()] == [
            ("other", 1),
            ("places", 1),
            ("places", 2),
        ]

    # Halts and workers

    def test_a_halt_is_known_to_all_until_the_model_goes_on(self, store: Store) -> None:
        generation = write(store, store.prepare(PLACES), 6)
        halt = Halt(7, "civic.weather.changed.v1", "nobody knows this type")
        store.halt(generation, halt)
        assert store.prepare(PLACES).halt == store.generations()[0].halt == halt
        write(store, generation, 7)
        assert store.prepare(PLACES).halt is None
        store.halt(generation, halt)
        assert store.prepare(PLACES).halt is None, "another worker has come past it"

    def test_workers_tell_what_they_do(self, store: Store) -> None:
        now = 1_800_000_000
        one = Work("host:1", "places", 30_000, now)
        two = Work("host:2", "places", 0, now, "the disk is full")
        store.report([one, Work("host:1", "other", 5, now)])
        store.report([two])
        store.report([one._replace(rate=1, seen=now + 2)])
        assert store.work() == [
            Work("host:1", "other", 5, now),
            Work("host:1", "places", 1, now + 2),
            two,
        ]
        store.forget("host:1")
        assert store.work() == [two]
        store.report([one._replace(seen=now + 25 * 3600)])
        assert [work.worker for work in store.work()] == ["host:1"]
