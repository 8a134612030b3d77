"""What every store of read models owes its callers: see `projections.stores.port`."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import TrackingRecorder
from eventsourcing.tests.persistence import TrackingRecorderTestCase

from projections.digest import digest
from projections.projection import Folded, Projection, Rows, Table
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
from projections.stores.tracking import StoreTracking

COUNT = Table("count", ("place", "mark"), ("votes", "total"), frozenset({"mark", "votes", "total"}))
NOTE = Table(
    "note", ("id",), ("text", "at"), frozenset({"at"}), indexes=(("text",), ("text", "at"))
)
SEEN = Table("seen", ("id", "at"), (), frozenset({"at"}))
WHO = Table("who", ("name",), ("home",), personal=True)

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "digest.md"

MANY = 1_500
"""Rows: more than a store sends one by one."""


class Places(Projection):
    name = "places"
    version = 2
    tables = (NOTE, COUNT, SEEN, WHO)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        """Nothing: the tests write rows."""


class Later(Places):
    """Its tables can be read as those of the version before."""

    version = 3


class Wider(Places):
    """Its readers ask for a column that the version before does not have."""

    version = 3
    tables = (NOTE, COUNT, SEEN, Table("who", ("name",), ("home", "work"), personal=True))


class Other(Places):
    name = "other"
    version = 1
    tables = (Table("elsewhere", ("id",), ("text",)),)


PLACES, LATER, OTHER = Places(), Later(), Other()


def write(store: Store, generation: Generation, to: int, *notes: tuple[Any, ...]) -> Generation:
    """Advance a generation to a position, with notes (id, text, at)."""
    rows = store.batch(generation)
    for id_, text, at in notes:
        rows.put(NOTE, (id_,), text, at)
    assert store.advance(generation, rows, after=generation.position, to=to)
    return generation._replace(position=to)


def read(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with store.snapshot() as at:
        return at.rows(sql, *values)


def notes(store: Store) -> list[tuple[Any, ...]]:
    return read(store, "SELECT id, text FROM note ORDER BY id")


def contents(store: Store, **options: bool) -> tuple[int, list[tuple[Any, ...]]]:
    with store.contents(PLACES, **options) as (position, rows):
        return position, list(rows)


class StoreContract(ABC):
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


class LastingStoreContract(StoreContract):
    """For stores that outlive the process."""

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
            assert at.position("places") == 1
            assert at.rows("SELECT text FROM note") == [("old",)]
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
        stop.set()
        for one in threads:
            one.join()
        assert not wrong
        assert len({row[0] for row in seen}) > 3
