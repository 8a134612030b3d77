"""The auditor, beside a bare loop that only reads the same bundles, hashes each entry and parses it; and what it costs.

Every measurement is made in a fresh process, so that its memory is its own; one and two processes in turns.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from ledger.transparency.keys import SigningKey
from ledger.transparency.tiles import bundles_between, decode_bundle
from tests.audit.trees import write_tree
from tests.benchmarks.measuring import Figure, Report, peak_memory

KEY = SigningKey("ledger.example/civic", bytes(range(32)))
ROUNDS = 3
NEW = 1_000
GIGABYTE = 10**9


def audit(report: Report, events: int = 1_000_000) -> None:
    with tempfile.TemporaryDirectory(prefix="civic-bench-") as name:
        folder = Path(name)
        entries = list(generated(events))
        write_tree(folder / "log", entries, KEY)
        write_tree(folder / "before", entries[:-NEW], KEY)
        del entries
        _rates(report, folder / "log", f"{events:,} events")
        _, memory = _measured("audit", folder / "log", "1")
        name = f"memory of an audit of {events:,} events"
        limit = GIGABYTE / 2**20
        report.add(Figure(name, memory / 2**20, "MiB", target=limit, at_most=True))
        _measured("audit", folder / "before", "1", folder / "state")
        seconds, _ = _measured("audit", folder / "log", "1", folder / "state")
        name = f"audit of {NEW:,} new events after {events - NEW:,} that were seen"
        report.add(Figure(name, seconds, "s", "start-up not counted", target=1.0, at_most=True))
    _warsaw(report)


def _warsaw(report: Report) -> None:
    from ledger.eventlog.port import EVERYTHING
    from services.assembly import assembled
    from tests.benchmarks.sample import settings
    from tests.benchmarks.warsaw import FILES, imported

    if not FILES:
        print("  skipped: the real ballots are missing (../shared/data/pabulib)")
        return
    with assembled(settings(imported().folder)) as parts:
        entries = [record.entry for record in parts.log.select(EVERYTHING)]
    with tempfile.TemporaryDirectory(prefix="civic-bench-") as name:
        write_tree(Path(name), entries, KEY)
        _rates(report, Path(name), f"Warsaw, {len(entries):,} events")


def _rates(report: Report, folder: Path, what: str) -> None:
    events = _size(folder)
    ones, twos, bares = list[float](), list[float](), list[float]()
    for _ in range(ROUNDS):
        bares.append(_measured("bare", folder)[0])
        ones.append(_measured("audit", folder, "1")[0])
        twos.append(_measured("audit", folder, "2")[0])
    one, two, bare = (events / statistics.median(times) for times in (ones, twos, bares))
    beside = f"bare loop: {bare:,.0f}/s"
    report.add(Figure(f"audit of {what}", one, "/s", beside, one / bare, target=0.25))
    beside = f"one process: {one:,.0f}/s"
    name = f"audit in two processes, {what}"
    report.add(Figure(name, two, "/s", beside, two / one, target=1.7))


def _measured(*arguments: object) -> tuple[float, float]:
    """The seconds that it took, and the most memory that its process used."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.audit", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    seconds, memory = map(float, done.stdout.split())
    return seconds, memory


def _size(folder: Path) -> int:
    return int((folder / "checkpoint").read_text(encoding="utf-8").split("\n")[1])


def bare(folder: Path) -> None:
    for bundle in bundles_between(0, _size(folder)):
        for entry in decode_bundle((folder / bundle.path).read_bytes(), bundle.width):
            sha256(entry)
            orjson.loads(entry)


def audited(folder: Path, workers: int, state: Path | None) -> None:
    from services.audit.run import Options, audit

    found = audit(Options(str(folder), (KEY.verifier,), state=state, workers=workers))
    if not found.clean:
        raise SystemExit(str(found.findings.listed()[:3]))


def main(what: str, folder: str, workers: str = "1", state: str | None = None) -> None:
    """Print the seconds and the memory of one audit, or of the bare loop."""
    if what == "audit":
        import ledger.domain.counting.rules  # noqa: F401
        import services.audit.run  # noqa: F401 (start-up is not counted)
    started = time.perf_counter()
    if what == "bare":
        bare(Path(folder))
    else:
        audited(Path(folder), int(workers), None if state is None else Path(state))
    print(time.perf_counter() - started, peak_memory())


# A log to audit

AREAS = ("pl", "pl/city", *(f"pl/city/d{n}" for n in range(18)))
MANDATES, BUDGETS, PROJECTS = 30, 10, 80
PROGRAMMES = 8


def generated(events: int) -> Iterator[bytes]:
    """A city's log: a fifth registrations, then choices in standing mandates and budgets, a tenth of them changed."""
    chance = random.Random(11)
    writer = _Writer()
    for area in AREAS:
        data = {"area": area, "name": area, "kind": "territory"}
        yield writer.entry("area.defined", f"area/{area}", data)
    for n in range(PROGRAMMES):
        data = {"organisation": f"o{n}", "name": f"O {n}", "kind": "party", "area": "pl/city"}
        yield writer.entry("organisation.registered", f"organisation/o{n}", data)
    yield writer.entry("policy.defined", "policy/07", {"policy": "07", "name": "Health"})
    people = events // 5
    homes = [AREAS[2 + n % 18] for n in range(people)]
    for n, home in enumerate(homes):
        person = f"{chance.getrandbits(128):032x}"
        data = {"person": person, "home": home, "private": f"{n:064x}"}
        yield writer.entry("citizen.registered", "roll", data)
    for area in AREAS:
        yield writer.entry("area.amended", f"area/{area}", {"area": area, "publishable": True})
    yield from _questions(writer)
    yield from _choices(writer, chance, homes, events - writer.written - BUDGETS)
    for n in range(BUDGETS):
        yield writer.entry("question.closed", f"question/budget/{n}", {"question": f"budget/{n}"})


def _questions(writer: "_Writer") -> Iterator[bytes]:
    asked = {"area": "pl/city", "electorate": "pl/city", "opens": writer.time, "results": "live"}
    programmes = [{"id": f"p{n}", "title": "P", "organisation": f"o{n}"} for n in range(PROGRAMMES)]
    for n in range(MANDATES):
        name = f"mandate/{n}"
        data = {"question": name, "title": name, "mandate": False, "method": {"kind": "single"}}
        yield writer.entry(
            "question.opened", f"question/{name}", {**asked, **data, "options": programmes}
        )
    projects = [{"id": str(n), "title": f"Project {n}", "cost": n} for n in range(1, PROJECTS + 1)]
    for n in range(BUDGETS):
        name = f"budget/{n}"
        data = {
            "question": name,
            "title": name,
            "mandate": False,
            "method": {"kind": "approval", "maximum": 5},
            "options": projects,
        }
        yield writer.entry("question.opened", f"question/{name}", {**asked, **data})


def _choices(
    writer: "_Writer", chance: random.Random, homes: list[str], number: int
) -> Iterator[bytes]:
    standing: dict[tuple[str, str], Any] = {}
    voted = list[tuple[str, str]]()
    turn = 0
    for n in range(number):
        if n % 10 == 9:
            voter, question = voted[chance.randrange(len(voted))]
        else:
            citizen, which = turn % len(homes), turn // len(homes)
            question = f"budget/{which // 4}" if which % 4 == 3 else f"mandate/{which}"
            voter = f"{(citizen * 0x9E3779B97F4A7C15F39CC0605CEDC834 + which) % 2**128:032x}"
            voted.append((voter, question))
            turn += 1
        before = standing.get((voter, question))
        if question.startswith("budget"):
            marks = dict.fromkeys(
                map(str, sorted(chance.sample(range(1, PROJECTS + 1), 5), key=str)), 1
            )
        else:
            marks = {f"p{chance.randrange(PROGRAMMES)}": 1}
        area = before["area"] if before else homes[citizen]
        standing[voter, question] = answer = {"area": area, "marks": marks}
        data = {"question": question, "voter": voter, "answer": answer}
        if before is None:
            yield writer.entry("choice.made", f"question/{question}", data)
        else:
            data["previous"] = before
            yield writer.entry("choice.changed", f"question/{question}", data)


class _Writer:
    """Writes entries, a millisecond apart."""

    def __init__(self) -> None:
        self.written = 0
        self._start = datetime(2026, 3, 1, tzinfo=UTC)

    @property
    def time(self) -> str:
        moment = self._start + timedelta(milliseconds=self.written)
        return moment.isoformat(timespec="microseconds")[:-6] + "Z"

    def entry(self, type_: str, subject: str, data: dict[str, Any]) -> bytes:
        self.written += 1
        event = {
            "data": data,
            "datacontenttype": "application/json",
            "id": f"{self.written:032x}/1",
            "source": KEY.verifier.name,
            "specversion": "1.0",
            "subject": subject,
            "time": self.time,
            "type": f"civic.{type_}.v1",
        }
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


if __name__ == "__main__":
    main(*sys.argv[1:])
