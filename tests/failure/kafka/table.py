"""The table of failures: what fails, when, and what must hold after, besides what must always hold.

Each test module has its part of it, by which its tests are made. `python -m tests.failure.kafka.table` writes the whole
into `docs/failures.md`.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[3] / "docs" / "failures.md"
MODULES = ("test_sequencer", "test_brokers", "test_topic", "test_replica")
BEGINNING, END = "<!-- the table of the tests -->\n", "<!-- end of the table -->\n"


class Failure(NamedTuple):
    """A row, and what brings the failure about and checks what is said in it."""

    what: str
    when: str
    then: str
    trial: Callable[[Any], None]

    @property
    def __name__(self) -> str:
        return f"{self.what}: {self.when}"


def name(failure: Failure) -> str:
    return f"{failure.what}: {failure.when}"


def failures() -> Iterator[Failure]:
    for module in MODULES:
        yield from import_module(f"tests.failure.kafka.{module}").FAILURES


def markdown() -> str:
    lines = ["| what fails | when | what holds then |", "|---|---|---|"]
    what = ""
    for one in failures():
        lines.append(f"| {one.what if one.what != what else ''} | {one.when} | {one.then} |")
        what = one.what
    return "\n".join(lines) + "\n"


def page(old: str) -> str:
    before, _, rest = old.partition(BEGINNING)
    return f"{before}{BEGINNING}\n{markdown()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
