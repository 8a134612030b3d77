"""How far the read models are, as the store tells it: the same from whichever process one asks."""

import time
from collections.abc import Iterator
from datetime import datetime

import orjson
from pydantic import BaseModel, ConfigDict

from ledger.eventlog.port import EVERYTHING, EventLog
from projections.stores.port import Generation, State, Store, Work

FRESH = 30
"""Seconds after which a worker that told nothing more counts as gone."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class HaltStatus(_Part):
    """The event that the model cannot fold."""

    position: int
    type: str
    reason: str


class WorkerStatus(_Part):
    """A process that folds the model; `seen` is how many seconds ago it said so."""

    worker: str
    rate: int
    seen: int
    error: str | None


class ModelStatus(_Part):
    """One generation of a model. `lag` counts events, `lag_seconds` the time since the first of them was recorded;
    `rate` is in events a second, of all its workers."""

    model: str
    generation: int
    version: int
    state: State
    position: int
    lag: int
    lag_seconds: float
    rate: int
    halted: HaltStatus | None
    workers: list[WorkerStatus]


class Status(_Part):
    """`log` is the position of the log's last event."""

    log: int
    models: list[ModelStatus]


def status_of(log: EventLog, store: Store) -> Status:
    """How far all models are now. Raises `LogUnavailable`, `StoreUnavailable`."""
    head, work, now = log.head(), store.work(), time.time()
    return Status(
        log=head,
        models=[
            _status(one, log, head, [w for w in work if w.model == one.model], now)
            for one in store.generations()
        ],
    )


def lag_seconds(log: EventLog, position: int, now: float) -> float:
    """How long the first event after a position has been waiting to be folded; 0 where there is none."""
    for record in log.select(EVERYTHING, after=position, limit=1):
        try:
            recorded = datetime.fromisoformat(orjson.loads(record.entry)["time"])
        except (ValueError, KeyError, TypeError):  # it is told as the halt that it causes
            return 0.0
        return max(0.0, now - recorded.timestamp())
    return 0.0


def written(status: Status) -> Iterator[str]:
    """The status as lines of text, columns under each other."""
    head = ("model", "generation", "version", "state", "position", "lag", "seconds", "rate")
    rows = [head, *(_cells(one) for one in status.models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    yield f"log at position {status.log:,}"
    for row in rows:
        yield "  ".join(
            cell.ljust(width) if column in (0, 3) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
    for model in status.models:
        if model.halted is not None:
            at, type_, reason = model.halted.position, model.halted.type, model.halted.reason
            yield f"{model.model} halted at position {at:,} ({type_}): {reason}"
    told = {(one.worker, one.error) for model in status.models for one in model.workers}
    for worker, error in sorted((one, why) for one, why in told if why is not None):
        yield f"worker {worker}: last error {error}"


def _status(one: Generation, log: EventLog, head: int, work: list[Work], now: float) -> ModelStatus:
    works = one.state is State.LIVE or one.state is State.BUILDING
    workers = [
        WorkerStatus(worker=w.worker, rate=w.rate, seen=max(0, int(now) - w.seen), error=w.error)
        for w in work
    ]
    return ModelStatus(
        model=one.model,
        generation=one.number,
        version=one.version,
        state=one.state,
        position=one.position,
        lag=max(0, head - one.position),
        lag_seconds=round(lag_seconds(log, one.position, now), 1),
        rate=sum(w.rate for w in workers if w.seen < FRESH) if works else 0,
        halted=None if one.halt is None else HaltStatus(**one.halt._asdict()),
        workers=workers if works else [],
    )


def _cells(one: ModelStatus) -> tuple[str, ...]:
    rate = f"{one.rate:,}/s" if any(w.seen < FRESH for w in one.workers) else "-"
    return (
        one.model,
        str(one.generation),
        str(one.version),
        "halted" if one.halted else str(one.state),
        f"{one.position:,}",
        f"{one.lag:,}",
        f"{one.lag_seconds:,.0f}",
        rate,
    )
