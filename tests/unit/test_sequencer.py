"""Group work: everybody is answered, and nobody can stop it."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.eventlog.port import LogUnavailable
from ledger.eventlog.sequencer import MAX_BATCH, Sequencer

Doubling = Sequencer[int, int]


class Work:
    """Doubles numbers; an odd one is an error, a negative one spoils its batch. Stands still on demand."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.may_go_on.wait(10)
        self.batches.append(list(items))
        if min(items) < 0:
            raise LogUnavailable("spoilt")
        return [ValueError(one) if one % 2 else 2 * one for one in items]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def doubling(work: Work) -> Iterator[Doubling]:
    doubling: Doubling = Sequencer(work, "doubling")
    yield doubling
    work.may_go_on.set()
    doubling.close()


def test_every_caller_gets_their_own_answer(doubling: Doubling) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda n: doubling.submit(2 * n).result(timeout=10), range(500))
        assert list(answers) == [4 * n for n in range(500)]


def test_an_error_is_told_to_its_own_caller(doubling: Doubling) -> None:
    odd, even = doubling.submit(1), doubling.submit(2)
    assert isinstance(odd.exception(timeout=10), ValueError)
    assert even.result(timeout=10) == 4


def test_a_spoilt_batch_is_told_to_all_its_callers_and_the_next_is_not(
    work: Work, doubling: Doubling
) -> None:
    work.may_go_on.clear()
    doubling.submit(2)
    time.sleep(0.05)  # it is being worked on; the others gather
    together = [doubling.submit(one) for one in (4, -2, 6)]
    work.may_go_on.set()
    assert all(isinstance(one.exception(timeout=10), LogUnavailable) for one in together)
    assert doubling.submit(8).result(timeout=10) == 16


def test_items_gather_while_a_batch_is_worked_on_in_their_order(
    work: Work, doubling: Doubling
) -> None:
    work.may_go_on.clear()
    futures = [doubling.submit(0)]
    time.sleep(0.05)
    futures += [doubling.submit(2 * n) for n in range(1, MAX_BATCH + 10)]
    work.may_go_on.set()
    assert [one.result(timeout=10) for one in futures] == [4 * n for n in range(MAX_BATCH + 10)]
    assert [one for batch in work.batches for one in batch] == [
        2 * n for n in range(MAX_BATCH + 10)
    ]
    assert max(map(len, work.batches)) == MAX_BATCH


def test_closing_works_off_what_was_handed_in(work: Work, doubling: Doubling) -> None:
    work.may_go_on.clear()
    futures = [doubling.submit(2 * n) for n in range(20)]
    work.may_go_on.set()
    doubling.close()
    assert [one.result(timeout=0) for one in futures] == [4 * n for n in range(20)]
    doubling.close()
    with pytest.raises(LogUnavailable, match="closed"):
        doubling.submit(2)


def test_a_caller_in_a_thread_who_goes_away_does_not_stop_it(doubling: Doubling) -> None:
    for _ in range(50):
        assert not doubling.submit(2).cancel()
    assert doubling.submit(4).result(timeout=10) == 8


def test_a_caller_in_a_loop_who_goes_away_does_not_stop_it(doubling: Doubling) -> None:
    async def impatient() -> int:
        for _ in range(50):
            doubling.submit_from_loop(2).cancel()
        return await asyncio.wait_for(doubling.submit_from_loop(4), timeout=10)

    assert asyncio.run(impatient()) == 8


def test_a_loop_that_is_over_does_not_stop_it(work: Work, doubling: Doubling) -> None:
    async def hasty() -> None:
        doubling.submit_from_loop(2)

    for _ in range(200):
        asyncio.run(hasty())
    assert doubling.submit(4).result(timeout=10) == 8


def test_answers_and_errors_reach_a_loop(doubling: Doubling) -> None:
    async def several() -> list[object]:
        waiting = [doubling.submit_from_loop(n) for n in range(6)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    answers = asyncio.run(several())
    assert [repr(one) for one in answers] == [
        "0",
        "ValueError(1)",
        "4",
        "ValueError(3)",
        "8",
        "ValueError(5)",
    ]
