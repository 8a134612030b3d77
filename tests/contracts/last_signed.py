"""What every last-signed store owes the tree worker (`projections.tree.last_signed`), as one suite for all stores."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from projections.tree.last_signed import LastSigned, TreeHead

ONE, TWO, THREE = (TreeHead(n, bytes([n]) * 32) for n in (1, 2, 3))


class LastSignedContract:
    """Holds for every store. `place` is where it is kept; opened again there, it knows what it knew."""

    def open_store(self, place: Any) -> LastSigned:
        raise NotImplementedError

    @pytest.fixture
    def store(self, place: Any) -> Iterator[LastSigned]:
        store = self.open_store(place)
        yield store
        store.close()

    def test_it_moves_from_where_it_stands(self, store: LastSigned) -> None:
        assert store.read("a") is None
        assert store.advance("a", None, ONE)
        assert store.read("a") == ONE
        assert store.advance("a", ONE, THREE)
        assert store.read("a") == THREE

    def test_it_moves_from_nowhere_else(self, store: LastSigned) -> None:
        assert not store.advance("a", ONE, TWO)
        assert store.read("a") is None
        assert store.advance("a", None, TWO)
        for wrong in (None, ONE, TreeHead(2, ONE.head), TreeHead(1, TWO.head)):
            assert not store.advance("a", wrong, THREE)
        assert store.read("a") == TWO

    def test_it_never_goes_back_or_aside(self, store: LastSigned) -> None:
        store.advance("a", None, TWO)
        for after in (ONE, TreeHead(0, ONE.head), TWO, TreeHead(2, THREE.head)):
            assert not store.advance("a", TWO, after)
        assert store.read("a") == TWO

    def test_each_origin_stands_for_itself(self, store: LastSigned) -> None:
        assert store.advance("a", None, ONE)
        assert store.advance("b", None, TWO)
        assert (store.read("a"), store.read("b"), store.read("A")) == (ONE, TWO, None)

    def test_large_sizes(self, store: LastSigned) -> None:
        largest = TreeHead(2**63 - 1, bytes(32))
        assert store.advance("a", None, largest)
        assert store.read("a") == largest

    def test_it_knows_what_it_knew(self, store: LastSigned, place: Any) -> None:
        store.advance("a", None, ONE)
        again = self.open_store(place)
        assert again.read("a") == ONE
        assert again.advance("a", ONE, TWO)
        assert store.read("a") == TWO
        again.close()

    @pytest.mark.parametrize("before", [None, ONE])
    def test_of_many_that_move_it_one_does(
        self, store: LastSigned, place: Any, before: TreeHead | None
    ) -> None:
        if before is not None:
            store.advance("a", None, before)
        barrier, moved = threading.Barrier(8), []

        def move(n: int) -> None:
            mine = store if n % 2 else self.open_store(place)
            after = TreeHead(n + 2, bytes([n]) * 32)
            barrier.wait()
            if mine.advance("a", before, after):
                moved.append(after)

        threads = [threading.Thread(target=move, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert moved == [store.read("a")]
