"""How fast a worker folds, over the last while."""

import time
from collections import deque

WINDOW = 10.0
"""Seconds that a rate looks back."""


class Pace:
    """Events a second over the last seconds. Not shared between threads that count."""

    def __init__(self) -> None:
        self._counted: deque[tuple[float, int]] = deque()
        self._started = time.monotonic()

    def add(self, events: int) -> None:
        self._counted.append((time.monotonic(), events))
        self._forget()

    def rate(self) -> float:
        """Events a second over the last `WINDOW` seconds, or since the beginning, if that was later."""
        now = time.monotonic()
        counted = sum(events for when, events in tuple(self._counted) if when > now - WINDOW)
        return counted / max(0.001, min(WINDOW, now - self._started))

    def _forget(self) -> None:
        while self._counted and self._counted[0][0] < time.monotonic() - WINDOW:
            self._counted.popleft()
