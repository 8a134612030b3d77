"""Live counts as server-sent events, for any number of followers.

One task looks whether the read models have advanced, and reads each count that is followed once for all its
followers; there is none while nobody follows. A follower is woken when the counts have changed, and then sends what
changed since it sent last: one that is slow misses steps on the way, never the last one, and nothing is kept for it.
An event's id is the position that it stands for, so that a client that comes back is sent what changed since.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import NamedTuple, Protocol

from fastapi.sse import ServerSentEvent

from projections.answers import AreaQuestion, LiveCounts

LASTS = 900.0
"""Seconds after which a stream ends. Clients come back by themselves; those that are forgotten do not stay for ever."""

LOOK_AGAIN = 0.05
"""Seconds between two looks whether the read models have advanced."""

COME_BACK = 1_000
"""Milliseconds after which a client comes back."""

_logger = logging.getLogger(__name__)

Count = Callable[[Iterable[str]], LiveCounts]
"""Reads counts, given the questions that are known already."""


class Run(Protocol):
    """Runs a read where it holds nobody up."""

    def __call__(self, read: Callable[[], LiveCounts], /) -> Awaitable[LiveCounts]: ...


class _Changed(NamedTuple):
    """A question's counts, and the position at which they were first seen to be so."""

    at: int
    question: AreaQuestion


class _Topic:
    """Something that is followed: its counts as they were read last."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._questions: dict[str, _Changed] = {}
        self._area = ""
        self._told: dict[int, str | None] = {}
        self.position = 0
        self.followers = 0
        self.changed = asyncio.Event()

    async def refresh(self, run: Run) -> None:
        known = tuple(self._questions)
        found = await run(lambda: self._count(known))
        if found.position <= self.position:  # another look was faster
            return
        self.position, self._area = found.position, found.area
        self._told.clear()
        news = False
        for question in found.questions:
            before = self._questions.get(question.question)
            if before is None or before.question != question:
                self._questions[question.question] = _Changed(found.position, question)
                news = True
        if news:
            self.changed.set()
            self.changed = asyncio.Event()

    def since(self, position: int) -> str | None:
        """What changed after a position, as JSON written once for all followers; None where nothing did."""
        if position not in self._told:
            news = [one.question for one in self._questions.values() if one.at > position]
            told = LiveCounts(position=self.position, area=self._area, questions=news)
            self._told[position] = told.model_dump_json() if news else None
        return self._told[position]


class Live:
    """Lets followers know of counts. `reached` says how far the read models have come. Used on one event loop."""

    def __init__(self, reached: Callable[[], int], run: Run) -> None:
        self._reached = reached
        self._run = run
        self._topics: dict[tuple[str, str | None], _Topic] = {}
        self._watching: asyncio.Task[None] | None = None

    @property
    def topics(self) -> int:
        """How many different counts are followed."""
        return len(self._topics)

    async def follow(
        self, area: str, question: str | None, count: Count, last: int | None
    ) -> AsyncGenerator[ServerSentEvent]:
        """What changed since the event with the id `last`, or all counts, and then each change as it comes."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LASTS
        topic = self._topics.setdefault((area, question), _Topic(count))
        topic.followers += 1
        try:
            if self._watching is None:
                self._watching = asyncio.create_task(self._watch())
            await topic.refresh(self._run)
            sent = -1 if last is None else last
            yield ServerSentEvent(retry=COME_BACK, comment="counts")
            while (left := until - loop.time()) > 0:
                changed = topic.changed
                if (news := topic.since(sent)) is not None:
                    sent = topic.position
                    yield ServerSentEvent(event="counts", id=str(sent), raw_data=news)
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except TimeoutError:
                    return
        finally:
            topic.followers -= 1
            if topic.followers == 0:
                self._topics.pop((area, question), None)

    async def _watch(self) -> None:
        """Refresh all topics whenever the read models have advanced; ends when nothing is followed."""
        seen, failing = -1, False
        while self._topics:
            await asyncio.sleep(LOOK_AGAIN)
            reached = self._reached()
            if reached == seen:
                continue
            try:
                for topic in list(self._topics.values()):
                    await topic.refresh(self._run)
            except Exception as error:  # the store may be back soon: look again
                if not failing:
                    _logger.exception("live counts cannot be read: %s", error)
                failing = True
            else:
                seen, failing = reached, False
        self._watching = None
