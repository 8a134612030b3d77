"""Who counts: this program from what stands (`counting`), or DuckDB from the changes. Both must give the same."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from services.audit.counting import AreaCount, Counted, Job, counted
from services.audit.parallel import Workers

FLUSHED: Final = 200_000
"""Changes that are handed to DuckDB in one go."""


class DuckDBMissing(ImportError):
    """`--recount duckdb` needs an extra; the message says how to install it."""


class Recount(Protocol):
    """Counts questions."""

    name: str

    def count(self, jobs: Iterable[Job]) -> Iterator[tuple[str, Counted]]:
        """The counts, perhaps several for one question, which are to be added up."""
        ...


class PythonRecount:
    """Counts the standing answers, in as many processes as there are."""

    name = "python"

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def count(self, jobs: Iterable[Job]) -> Iterator[tuple[str, Counted]]:
        later = [
            (job.question, self._workers.do(counted, one)) for job in jobs for one in job.slices()
        ]
        for question, one in later:
            yield question, one.get()


class DuckDBRecount:
    """Adds up the changes, +1 for each answer that came to stand and −1 for each that ceased to, in SQL.

    It looks at no standing choice, which makes it a second way to the same count; and it needs memory for the
    areas and options alone. Sealed marks, which SQL cannot open, are counted by Python.
    """

    name = "duckdb"

    def __init__(self, workers: Workers) -> None:
        try:
            duckdb, self._arrow = import_module("duckdb"), import_module("pyarrow")
        except ModuleNotFoundError as missing:
            raise DuckDBMissing(
                f"--recount duckdb needs {missing.name}: pip install 'civic-participation-ledger[audit]'"
            ) from missing
        self._python = PythonRecount(workers)
        self._database = duckdb.connect()
        self._sql = _statements()
        self._database.execute(self._sql["tables"])
        self._questions: list[str] = []
        self._areas: list[str] = []
        self._marks: list[str] = []
        self._signs: list[int] = []

    def tell(self, question: str, area: str, marks: str, sign: int) -> None:
        """An answer came to stand (1), or ceased to (−1)."""
        self._questions.append(question)
        self._areas.append(area)
        self._marks.append(marks)
        self._signs.append(sign)
        if len(self._signs) >= FLUSHED:
            self._flush()

    def count(self, jobs: Iterable[Job]) -> Iterator[tuple[str, Counted]]:
        self._flush()
        open_jobs = list[Job]()
        for job in jobs:
            if job.sealed:
                yield from self._python.count([job])
            else:
                open_jobs.append(job)
        self._insert("method", [_method(job) for job in open_jobs])
        options = [
            {"question": job.question, "id": id_, "cost": cost}
            for job in open_jobs
            for id_, cost in job.costs.items()
        ]
        self._insert("option", options)
        self._database.execute(self._sql["judge"])
        found = {job.question: Counted({}, []) for job in open_jobs}
        for question, area, voters in self._rows("voters"):
            found[question].areas.setdefault(area, AreaCount()).voters = voters
        for question, area, option, mark, number in self._rows("cells"):
            found[question].areas[area].cells[option, mark] = number
        for question, area, marks in self._rows("illegal"):
            why = "it does not fit the question's method"
            found[question].illegal.append((area, marks, why))
        yield from found.items()

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._database.execute(self._sql[name]).fetchall()
        return rows

    def _flush(self) -> None:
        text, number = self._arrow.string(), self._arrow.int8()
        columns = [
            self._arrow.array(self._questions, text),
            self._arrow.array(self._areas, text),
            self._arrow.array(self._marks, text),
            self._arrow.array(self._signs, number),
        ]
        batch = self._arrow.table(columns, names=["question", "area", "marks", "sign"])
        self._database.register("batch", batch)
        self._database.execute("INSERT INTO change BY NAME SELECT * FROM batch")
        self._database.unregister("batch")
        self._questions, self._areas, self._marks, self._signs = [], [], [], []

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        self._database.execute(f"DELETE FROM {table}")
        if rows:
            self._database.register("batch", self._arrow.Table.from_pylist(rows))
            self._database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
            self._database.unregister("batch")


_BOUNDS = ("minimum", "maximum", "max_cost", "max_mark", "total", "min_total")


def _method(job: Job) -> dict[str, Any]:
    bounds = {name: job.method.get(name) for name in _BOUNDS}
    return {"question": job.question, "kind": job.method["kind"], **bounds}


def _statements() -> dict[str, str]:
    """The statements of `recount.sql` by the name in the comment before each."""
    text = Path(__file__).with_name("recount.sql").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("-- name: ")[1:])
    return {name.strip(): sql for name, _, sql in parts}
