"""The part of a store's contract that is about several callers, each with a connection of their own."""

import threading
import time
from typing import Any

from projections.stores.port import Store
from tests.contracts.places import PLACES, notes, write
from tests.contracts.store_generations import GenerationsContract


class LastingStoreContract(GenerationsContract):
    """Holds for every store with a place that can be opened several times."""

    def test_opened_again_it_is_as_it_was(self, store: Store, place: Any) -> None:
        generation = write(store, store.prepare(PLACES), 5, ("a", "one", None))
        building = write(store, store.rebuild(PLACES), 3)
        again = self.open_store(place)
        assert again.prepare(PLACES) == generation
        assert again.rebuild(PLACES) == building
        assert notes(again) == [("a", "one")]
        again.close()

    def test_a_snapshot_is_of_one_moment(self, store: Store) -> None:
        generation = write(store, store.prepare(PLACES), 1, ("a", "one", None))
        with store.snapshot() as at:
            before = at.position("places")
            thread = threading.Thread(target=write, args=(store, generation, 2, ("b", "two", None)))
            thread.start()
            thread.join(timeout=30)
            assert before == at.position("places") == 1
            assert at.rows("SELECT count(*) FROM note") == [(1,)]
        assert len(notes(store)) == 2

    def test_a_moment_that_is_read_is_of_the_generation_that_was_live(self, store: Store) -> None:
        """However the switch comes between a position and its rows: it waits, or the reader does not see it."""
        write(store, store.prepare(PLACES), 1, ("a", "old", None))
        new = write(store, store.rebuild(PLACES), 2, ("a", "new", None))
        switch = threading.Thread(target=store.go_live, args=(new,))
        with store.snapshot() as at:
            assert at.rows("SELECT 1") == [(1,)]
            switch.start()
            switch.join(timeout=1)
            position, ((text,),) = at.position("places"), at.rows("SELECT text FROM note")
            assert (position, text) in [(1, "old"), (2, "new")]
        switch.join(timeout=30)
        assert notes(store) == [("a", "new")]

    def test_a_switch_gives_readers_one_generation_or_the_other(
        self, store: Store, place: Any
    ) -> None:
        """Each generation says its number in every row; a reader must never see two, or rows of another position."""
        generation = write(store, store.prepare(PLACES), 1, *((f"{n}", "1", 1) for n in range(50)))
        stop = threading.Event()
        seen: list[tuple[Any, ...]] = []
        wrong: list[object] = []

        def look() -> None:
            reader = self.open_store(place)
            try:
                while not stop.is_set():
                    with reader.snapshot() as at:
                        position = at.position("places")
                        found = at.rows(
                            "SELECT text, count(*), min(at), max(at) FROM note GROUP BY text"
                        )
                        again = at.rows("SELECT max(at) FROM note")
                    seen.append((position, *found))
                    if len(found) != 1 or found[0][1:] != (50, position, position):
                        wrong.append((position, found))
                    if again != [(position,)]:
                        wrong.append((position, found, again))
            except Exception as error:
                wrong.append(error)
            finally:
                reader.close()

        threads = [threading.Thread(target=look) for _ in range(3)]
        for one in threads:
            one.start()
        for to in range(2, 14):
            generation = store.rebuild(PLACES)
            rows = [(f"{n}", f"{generation.number}", to - 1) for n in range(50)]
            generation = write(store, generation, to - 1, *rows)
            assert store.go_live(generation)
            rows = [(f"{n}", f"{generation.number}", to) for n in range(50)]
            write(store, generation, to, *rows)
            looked, until = len(seen), time.monotonic() + 10
            while len(seen) == looked and not wrong and time.monotonic() < until:
                time.sleep(0.001)
        stop.set()
        for one in threads:
            one.join()
        assert not wrong
        assert len({row[0] for row in seen}) > 3
