"""How the benchmarks measure: rates over a fixed time, and a table that sets each beside its peer."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Figure:
    """One measured figure; `target` is the least (or, with `at_most`, the greatest) ratio to its peer."""

    name: str
    value: float
    unit: str
    peer: str = ""
    ratio: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def reached(self) -> bool:
        if self.target is None:
            return True
        measured = self.value if self.ratio is None else self.ratio
        return measured <= self.target if self.at_most else measured >= self.target


@dataclass
class Report:
    """The figures of one run."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> Figure:
        self.figures.append(figure)
        print("  " + _row(figure), flush=True)
        return figure

    def markdown(self) -> str:
        head = (
            "| what | measured | beside | ratio | to reach | reached |\n|---|---|---|---|---|---|\n"
        )
        return head + "\n".join(_row(figure) for figure in self.figures)

    @property
    def reached(self) -> bool:
        return all(figure.reached for figure in self.figures)


def _row(figure: Figure) -> str:
    sign = "≤" if figure.at_most else "≥"
    target = "" if figure.target is None else f"{sign} {figure.target:g}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    reached = "" if figure.target is None else ("yes" if figure.reached else "NO")
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.2f}"
    return f"| {figure.name} | {value} {figure.unit} | {figure.peer} | {ratio} | {target} | {reached} |"


def rate(step: Callable[[], int], seconds: float, warm_up: float = 0.5) -> float:
    """Units a second; `step` says how many it did."""
    _run(step, warm_up)
    started = time.perf_counter()
    done = _run(step, seconds)
    return done / (time.perf_counter() - started)


def _run(step: Callable[[], int], seconds: float) -> int:
    until, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        done += step()
    return done


def median_time(step: Callable[[], object], times: int) -> float:
    """The median time of a step, in seconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        step()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def peak_memory() -> int:
    """The most memory that this process has used, in bytes (not its parent's, which `getrusage` would tell)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this system does not tell how much memory a process has used")
