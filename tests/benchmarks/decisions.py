"""(a) Decisions a second through the whole path, and (e) what a choice costs as the log grows."""

import itertools
import random
import statistics
import threading
import time
from collections.abc import Iterable, Sequence

import orjson

from ledger.domain.choices import ChoiceMade, MakeChoice
from ledger.eventlog.port import Append, NewEvent, Record, Selection
from ledger.recording import new_id
from services.assembly import System
from tests.benchmarks.measuring import Figure, Report, rate
from tests.benchmarks.postgres_peer import postgres_recorder, read_and_append
from tests.benchmarks.sample import budget, carried_out, choice, city, system

SECONDS = 4.0
CITIZENS = 20_000
GROWTH_ROUNDS = 16
ROUNDS = 3
"""The peer and ours are measured in turns this many times; the median of each counts."""


def decisions(report: Report) -> None:
    with system() as parts, postgres_recorder() as recorder:
        citizens = city(parts, CITIZENS)
        measured: dict[str, list[float]] = {"peer": [], "pipelined": []}
        measured.update({f"callers {n}": [] for n in (1, 8, 64, 512)})
        for round_ in range(ROUNDS):
            measured["peer"].append(rate(read_and_append(recorder), SECONDS))
            measured["pipelined"].append(pipelined(parts, citizens, f"p{round_}"))
            for callers in (1, 8, 64, 512):
                question = f"c{round_}/{callers}"
                measured[f"callers {callers}"].append(_callers(parts, citizens, question, callers))
        peer = statistics.median(measured["peer"])
        beside = f"PostgreSQL recorder, 1 caller: {peer:,.0f}/s"
        targets = {"pipelined": 10.0, "callers 64": 4.0}
        for name in ("callers 1", "callers 8", "callers 64", "callers 512", "pipelined"):
            value = statistics.median(measured[name])
            target = targets.get(name)
            report.add(
                Figure(f"decisions, {name}", value, "/s", beside, value / peer, target=target)
            )


def pipelined(parts: System, citizens: Sequence[str], question: str) -> float:
    """Let every citizen choose, as fast as decisions can be taken. Choices a second."""
    budget(parts, question)
    chance = random.Random(7)
    commands = [choice(citizen, question, chance) for citizen in citizens]
    started = time.perf_counter()
    carried_out(parts, list(commands))
    return len(commands) / (time.perf_counter() - started)


def _callers(parts: System, citizens: Sequence[str], question: str, callers: int) -> float:
    """Threads that each carry out one choice after the other, waiting for every answer."""
    budget(parts, question)
    chance = random.Random(7)
    commands = iter([choice(citizen, question, chance) for citizen in citizens])
    taking, done = threading.Lock(), [0] * callers
    until = time.perf_counter() + SECONDS

    def call(caller: int) -> None:
        while time.perf_counter() < until:
            with taking:
                command = next(commands, None)
            if command is None:
                return
            parts.ledger.execute(command)
            done[caller] += 1

    started = time.perf_counter()
    threads = [threading.Thread(target=call, args=(n,)) for n in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - started)


def growth(report: Report, larger: int = 1_000_000) -> None:
    """The time of one choice in a log of 10⁴ and in one of 10⁶ events, measured in turns."""
    with system() as small, system() as large:
        commands = {}
        for parts, events in ((small, 10_000), (large, larger)):
            citizens = city(parts, 6_000)
            budget(parts, "grown")
            chance = random.Random(7)
            waiting = [choice(citizen, "grown", chance) for citizen in citizens]
            carried_out(parts, [waiting.pop()])
            fill(parts, events - parts.log.head())
            commands[events] = iter(waiting)
        taken: dict[int, list[float]] = {10_000: [], larger: []}
        for _ in range(GROWTH_ROUNDS):
            for parts, events in ((small, 10_000), (large, larger)):
                taken[events] += _each(parts, itertools.islice(commands[events], 250))
        before, after = (statistics.median(taken[events]) for events in (10_000, larger))
        report.add(
            Figure(
                f"one choice in a log of {larger:,} events",
                after * 1e6,
                "µs",
                f"in one of 10,000: {before * 1e6:,.0f} µs",
                after / before,
                target=1.2,
                at_most=True,
            )
        )


def _each(parts: System, commands: Iterable[MakeChoice]) -> list[float]:
    """The seconds that each takes."""
    taken = []
    for command in commands:
        started = time.perf_counter()
        parts.ledger.execute(command)
        taken.append(time.perf_counter() - started)
    return taken


def fill(parts: System, events: int) -> None:
    """Make the log longer by so many choices of other voters on the question `grown`."""
    selection = Selection(types=(ChoiceMade.type,), tags=("question:grown",))
    (record,) = parts.log.select((selection,), limit=1)
    for start in range(0, events, 5_000):
        parts.log.append_batch([_copy(record) for _ in range(min(5_000, events - start))])


def _copy(record: Record) -> Append:
    entry = orjson.loads(record.entry)
    entry["id"], entry["data"]["voter"] = f"{new_id()}/1", new_id()
    tags = ("question:grown", f"voter:{entry['data']['voter']}", f"citizen:{new_id()}")
    content = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
    return Append((NewEvent(record.type, content, tags, entry["id"]),))
