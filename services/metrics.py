"""What an operator measures (Prometheus). Labels are verbs, reasons, routes and models: nothing of a person."""

import time
from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.errors import KNOWN_ERRORS, Fault, meaning

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Progress(Protocol):
    """How far the read models have come."""

    def head(self) -> int:
        """The position of the log's last event."""
        ...

    def leads(self) -> bool:
        """Whether commands are taken here."""
        ...

    def intruders(self) -> int:
        """Records found where the log is stored that are not of its making."""
        ...

    def positions(self) -> dict[str, int]:
        """The position that each model has reached."""
        ...

    def halted(self) -> Mapping[str, str]:
        """The models that stand still, each with the event that it cannot fold."""
        ...

    def failing(self) -> set[str]:
        """The threads whose work fails at the moment."""
        ...

    def lag_seconds(self) -> dict[str, float]:
        """For each model, how long the first event that it has yet to fold has been waiting."""
        ...

    def rates(self) -> dict[str, float]:
        """Events a second that each model folds here."""
        ...

    def errors(self) -> dict[str, tuple[float, str]]:
        """What went wrong last in each thread, by its kind, and when (seconds since 1970)."""
        ...


class Metrics:
    """One process's figures, in a registry of their own."""

    def __init__(self, progress: Progress) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._commands = Counter(
            "civic_commands",
            "Commands by verb, and what became of them: accepted, again, or the problem's name",
            ("verb", "outcome"),
            registry=self._registry,
        )
        self._requests = Histogram(
            "civic_http_request_duration_seconds",
            "Time from a request's head to the end of its answer, in seconds",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._counters: dict[tuple[str, str], Counter] = {}
        self._histograms: dict[tuple[str, str, int], Histogram] = {}
        self._registry.register(_Models(progress))

    def command(self, verb: str, outcome: str) -> None:
        """Count a command that was carried out: `accepted`, or `again` where it had been before."""
        key = (verb, outcome)
        child = self._counters.get(key)
        if child is None:  # a look-up by labels takes longer than the rest
            child = self._counters[key] = self._commands.labels(verb, outcome)
        child.inc()

    def failed(self, verb: str, error: Exception) -> None:
        """Count a command that was not carried out, by the name of the problem."""
        known = isinstance(error, KNOWN_ERRORS)
        self.command(verb, meaning(error).type if known else Fault.INTERNAL.value)

    def request(self, method: str, route: str, status: int, started: float) -> None:
        """Count a request that began at `started` (`time.perf_counter`) and has been answered."""
        key = (method, route, status)
        child = self._histograms.get(key)
        if child is None:
            child = self._histograms[key] = self._requests.labels(method, route, str(status))
        child.observe(time.perf_counter() - started)

    def add(self, figures: Collector) -> None:
        """Add the figures of another part."""
        self._registry.register(figures)

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self._registry)


class _Models(Collector):
    """The read models' figures, looked up when they are asked for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        head, positions = self._progress.head(), self._progress.positions()
        halted = self._progress.halted()
        yield GaugeMetricFamily("civic_log_position", "Position of the log's last event", head)
        yield GaugeMetricFamily(
            "civic_log_leads", "1: commands are taken here", float(self._progress.leads())
        )
        yield GaugeMetricFamily(
            "civic_log_intruders",
            "Records found where the log is stored that are not of its making",
            self._progress.intruders(),
        )
        gauges: tuple[tuple[str, str, Mapping[str, float]], ...] = (
            ("position", "Position that the model has reached", positions),
            ("lag_events", "Events that the model has yet to fold", _lags(head, positions)),
            (
                "lag_seconds",
                "Time for which the first event that the model has yet to fold has been waiting",
                self._progress.lag_seconds(),
            ),
            (
                "rate",
                "Events a second that the model folds in this process",
                self._progress.rates(),
            ),
            (
                "halted",
                "1: it met an event that it cannot fold",
                {n: n in halted for n in positions},
            ),
        )
        for name, about, values in gauges:
            family = GaugeMetricFamily(f"civic_projection_{name}", about, labels=("model",))
            for model, value in values.items():
                family.add_metric((model,), float(value))
            yield family
        failing = GaugeMetricFamily("civic_threads_failing", "Threads whose work fails just now")
        failing.add_metric((), float(len(self._progress.failing())))
        yield failing
        errors = GaugeMetricFamily(
            "civic_thread_last_error_timestamp_seconds",
            "When the work of a thread failed last, and how",
            labels=("thread", "error"),
        )
        for thread, (at, error) in self._progress.errors().items():
            errors.add_metric((thread, error), at)
        yield errors


def _lags(head: int, positions: dict[str, int]) -> dict[str, int]:
    return {model: max(0, head - position) for model, position in positions.items()}
