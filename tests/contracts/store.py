"""What every store of read models owes its callers (`projections.stores.port`), as one suite for all stores.

A store's test module inherits from `StoreContract` and opens stores in `open_store`; one that outlives its process
also takes `LastingStoreContract` (`store_lasting.py`).
"""

import threading
from pathlib import Path

import pytest
from eventsourcing.persistence import TrackingRecorder
from eventsourcing.tests.persistence import TrackingRecorderTestCase

from projections.digest import digest
from projections.stores.port import Generation, State, Store, StoreUnavailable
from projections.stores.tracking import StoreTracking
from tests.contracts.places import (
    COUNT,
    NOTE,
    PLACES,
    SEEN,
    WHO,
    contents,
    notes,
    read,
    write,
)
from tests.contracts.store_generations import GenerationsContract

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "digest.md"

MANY = 1_500
"""Rows: more than a store sends one by one."""


class StoreContract(GenerationsContract):
    """Holds for every store."""

    # Rows and position

    def test_a_new_model_stands_at_the_beginning_and_is_live(self, store: Store) -> None:
        assert store.prepare(PLACES) == Generation("places", 1, 2, State.LIVE, 0)
        assert store.prepare(PLACES).number == 1
        with store.snapshot() as at:
            assert at.position("places") == at.position("never heard of") == 0
        assert contents(store) == (0, [])

    def test_rows_and_position_are_written_together(self, store: Store) -> None:
        generation = store.prepare(PLACES)
        rows = store.batch(generation)
        rows.put(NOTE, ("a",), "one", None)
        rows.put(NOTE, ("b",), None, 7)
        rows.put(SEEN, ("x", 3))
        rows.add(COUNT, ("p", -1), 2, -2)
        assert store.advance(generation, rows, after=0, to=5)
        assert store.prepare(PLACES).position == 5
        rows = store.batch(generation)
        rows.delete(NOTE, ("a",))
        rows.delete(NOTE, ("never there",))
        rows.put(NOTE, ("b",), "two", None)
        rows.put(SEEN, ("x", 3))
        rows.add(COUNT, ("p", -1), 1, -1)
        rows.add(COUNT, ("p", 10), 1, 10)
        assert store.advance(generation, rows, after=5, to=6)
        assert contents(store) == (
            6,
            [
                ("count", "p", -1, 3, -3),
                ("count", "p", 10, 1, 10),
                ("note", "b", "two", None),
                ("seen", "x", 3),
            ],
        )

    def test_many_rows_are_written_like_few(self, store: Store) -> None:
        generation = store.prepare(PLACES)
        for number in (1, 2):
            rows = store.batch(generation)
            for n in range(MANY):
                rows.add(COUNT, (f"p{n}", n % 3 - 1), 1, n)
                rows.put(NOTE, (f"n{n}",), f"{number}\tA\\n\n{n}", n if n % 2 else None)
                rows.put(SEEN, (f"n{n}", n))
            for n in range(number, MANY, 7):
                rows.delete(NOTE, (f"n{n}",))
            assert store.advance(generation, rows, after=number - 1, to=number)
        found = dict(read(store, "SELECT id, text FROM note"))
        gone = {f"n{n}" for n in range(2, MANY, 7)}
        assert found == {f"n{n}": f"2\tA\\n\n{n}" for n in range(MANY) if f"n{n}" not in gone}
        assert read(store, "SELECT count(*), sum(votes), sum(total) FROM count") == [
            (MANY, 2 * MANY, MANY * (MANY - 1))
        ]
        assert read(store, "SELECT count(*) FROM seen") == [(MANY,)]

    def test_a_batch_is_written_once(self, store: Store) -> None:
        """Of two workers with the same events one does nothing."""
        generation = store.prepare(PLACES)
        first, second = store.batch(generation), store.batch(generation)
        for rows in (first, second):
            rows.add(COUNT, ("p", 1), 1, 1)
        assert store.advance(generation, first, after=0, to=3)
        assert not store.advance(generation, second, after=0, to=4)
        assert contents(store) == (3, [("count", "p", 1, 1, 1)])

    def test_of_several_threads_with_the_same_batch_one_writes(self, store: Store) -> None:
        generation = store.prepare(PLACES)
        together = threading.Barrier(4)
        wrote = []

        def work() -> None:
            for n in range(20):
                rows = store.batch(generation)
                rows.add(COUNT, ("p", 1), 1, 1)
                together.wait(timeout=30)
                if store.advance(generation, rows, after=n, to=n + 1):
                    wrote.append(n)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(wrote) == list(range(20))
        assert contents(store) == (20, [("count", "p", 1, 20, 20)])

    def test_what_cannot_be_written_leaves_nothing_behind(self, store: Store) -> None:
        generation = write(store, store.prepare(PLACES), 1, ("a", "one", None))
        rows = store.batch(generation)
        rows.put(NOTE, ("b",), "two", None)
        rows.put(NOTE, ("c",), "three", "not a number")
        with pytest.raises(StoreUnavailable):
            store.advance(generation, rows, after=1, to=2)
        assert (notes(store), store.prepare(PLACES).position) == ([("a", "one")], 1)
        write(store, generation, 2, ("b", "two", 3))

    def test_rows_of_a_batch_see_what_is_stored(self, store: Store) -> None:
        generation = store.prepare(PLACES)
        rows = store.batch(generation)
        for n in (10, 9, -1):
            rows.put(SEEN, ("x", n))
            rows.put(NOTE, (f"n{n}",), "text", n)
        assert store.advance(generation, rows, after=0, to=1)
        rows = store.batch(generation)
        assert rows.get(NOTE, ("n9",)) == ("text", 9)
        assert rows.get(NOTE, ("n8",)) is None
        assert rows.get(SEEN, ("x", 9)) == ()
        assert len(rows.all_of(SEEN, "x")) == 3
        rows.delete(NOTE, ("n9",))
        rows.put(NOTE, ("n8",), "new", None)
        assert rows.get(NOTE, ("n9",)) is None
        assert rows.get(NOTE, ("n8",)) == ("new", None)
        assert rows.all_of(NOTE, "n8") == [("new", None)]

    # Reading

    def test_text_is_ordered_and_compared_by_its_bytes(self, store: Store) -> None:
        texts = ["Z", "a", "é", "a/b", "a0", "a-b", "B", "ž", "\U0001f600", "ﬁ", "A b", "a b"]
        write(store, store.prepare(PLACES), 1, *((one, one.lower(), None) for one in texts))
        by_bytes = sorted(texts, key=str.encode)
        assert [id_ for id_, _ in notes(store)] == by_bytes
        assert [row[1] for row in contents(store)[1]] == by_bytes
        inside = read(store, "SELECT id FROM note WHERE id > ? AND id < ? ORDER BY id", "a/", "a0")
        assert inside == [("a/b",)]
        highest = read(store, "SELECT max(id), min(id) FROM note")
        assert highest == [(by_bytes[-1], by_bytes[0])]

    def test_queries_with_marks_for_values(self, store: Store) -> None:
        write(store, store.prepare(PLACES), 1, ("a", "50 %", 1), ("b", "what?", 2), ("c", None, 3))
        assert read(store, "SELECT id FROM note WHERE text = ?", "what?") == [("b",)]
        assert read(store, "SELECT id FROM note WHERE text = 'what?'") == [("b",)]
        assert read(store, "SELECT id FROM note WHERE text LIKE '%0 %'") == [("a",)]
        assert read(store, "SELECT 'It''s ?' FROM note WHERE at = ?", 2) == [("It's ?",)]
        either = "SELECT id FROM note WHERE (? IS NULL OR id = ?) AND (? IS NOT NULL OR at > 1)"
        assert read(store, f"{either} ORDER BY id", None, None, None) == [("b",), ("c",)]
        assert read(store, either, "c", "c", "x") == [("c",)]
        assert read(store, f"{either} ORDER BY id LIMIT ?", None, None, 1, 2) == [("a",), ("b",)]
        total = read(store, "SELECT sum(at), coalesce(sum(at), 0) FROM note WHERE at > ?", 2**40)
        assert total == [(None, 0)]
        (found,) = read(store, "SELECT sum(at), count(*), max(at) FROM note")
        assert [type(one) for one in found] == [int, int, int]
        assert found == (6, 3, 3)

    def test_whole_numbers_keep_every_digit(self, store: Store) -> None:
        largest = 2**53 - 1
        write(store, store.prepare(PLACES), 1, ("a", None, largest), ("b", None, -largest))
        assert read(store, "SELECT at FROM note ORDER BY id") == [(largest,), (-largest,)]
        assert read(store, "SELECT id FROM note WHERE at = ?", largest) == [("a",)]

    # Digests

    def test_personal_rows_are_no_part_of_a_digest(self, store: Store) -> None:
        generation = write(store, store.prepare(PLACES), 1, ("a", "one", None))
        before = digest(store, PLACES)
        rows = store.batch(generation)
        rows.put(WHO, ("anna",), "aa")
        assert store.advance(generation, rows, after=1, to=2)
        assert digest(store, PLACES).digest == before.digest
        assert contents(store, with_personal=True)[1][-1] == ("who", "anna", "aa")
        assert digest(store, PLACES, with_personal=True).digest != before.digest

    def test_the_digest_is_that_of_the_documentation(self, store: Store) -> None:
        """The example of `docs/digest.md`."""
        generation = store.prepare(PLACES)
        rows = store.batch(generation)
        rows.put(NOTE, ("ž",), "two\nlines", None)
        rows.put(NOTE, ("a",), 'a "word"', 7)
        rows.add(COUNT, ("pl/b", 10), 1, 10)
        rows.add(COUNT, ("pl/b", 9), 2, 18)
        assert store.advance(generation, rows, after=0, to=4)
        documented = "a83a688cd518417e01be1e5aedbdf577ca70703d949039adab9131449b0775b1"
        assert digest(store, PLACES) == (4, documented)
        assert documented in DOCUMENTATION.read_text(encoding="utf-8")

    # eventsourcing's own tracking

    def test_tracking_as_eventsourcing_wants_it(self, store: Store) -> None:
        class Case(TrackingRecorderTestCase):
            def create_recorder(self) -> TrackingRecorder:
                return StoreTracking(store)

        Case("test_insert_tracking").debug()
        assert {one.model: one.position for one in store.generations()} == {
            "upstream1": 24,
            "upstream2": 21,
        }

    def test_waiting_as_eventsourcing_wants_it(self, store: Store) -> None:
        class Case(TrackingRecorderTestCase):
            def create_recorder(self) -> TrackingRecorder:
                return StoreTracking(store)

        Case("test_wait").debug()
