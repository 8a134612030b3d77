"""One audit, from the first file to the report."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ledger.transparency.keys import VerifierKey
from ledger.transparency.policy import Policy
from ledger.transparency.tiles import TILE_WIDTH
from services.audit.checkpoints import Statement, extends, read_statement
from services.audit.comparing import Comparison
from services.audit.findings import Findings, Kind
from services.audit.following import Following, Progress, Stops
from services.audit.held import Past
from services.audit.parallel import Workers, workers
from services.audit.published import Document, by_position, read_published
from services.audit.recount import DuckDBRecount, PythonRecount, Recount
from services.audit.report import Numbers, QuestionResult, Report
from services.audit.rules.itself import successors
from services.audit.rules.rulebook import Rulebook
from services.audit.source import CannotRead, Source, open_source
from services.audit.state import Seen, StateFile
from services.audit.tallies import Tallies
from services.audit.tree import UpperTree

PATIENCE = 15.0
"""Seconds to wait for a checkpoint that covers the published results: it is signed a moment after them."""


@dataclass(frozen=True)
class Options:
    """What to audit, and by what to judge it."""

    place: str
    keys: tuple[VerifierKey, ...] = ()
    policy: Policy | None = None
    state: Path | None = None
    published: str | None = None
    workers: int = 1
    recount: str = "python"


Showing = Callable[[], AbstractContextManager[Progress]]
"""Opens a bar, say, and gives what moves it."""


def audit(options: Options, showing: Showing = lambda: nullcontext(_silent)) -> Report:
    """Check everything, count again, and say what was found. Raises `CannotRead`, `DuckDBMissing`."""
    source = open_source(options.place)
    with _no_collector(), workers(source, options.workers) as crew, showing() as show:
        return _Audit(options, source, crew).run(show)


def _silent(done: int, of: int) -> None:
    """Shows nothing."""


class _Audit:
    def __init__(self, options: Options, source: Source, crew: Workers) -> None:
        self._options = options
        self._source = source
        self._findings = Findings()
        self._memory = None if options.state is None else StateFile(options.state)
        self._rules = Rulebook(self._findings, self._memory or Past(), crew)
        self._recount = _recount(options.recount, crew)
        self._tallies = Tallies(self._rules, self._recount, self._findings)
        self._comparison = Comparison(self._rules, self._tallies, self._findings)
        self._crew = crew
        self._unchecked: list[str] = []
        self._started = time.monotonic()

    def run(self, show: Progress) -> Report:
        published = self._options.published
        documents = [] if published is None else read_published(published)
        statement = self._statement(documents)
        following = None if statement is None else self._follow(statement, documents, show)
        report = self._report(statement, following)
        if self._memory is not None:
            if following is not None and statement is not None and not self._findings:
                self._remember(self._memory, statement, following)
            self._memory.close()
        return report

    def _statement(self, documents: list[Document]) -> Statement | None:
        """The checkpoint, once it covers what is to be compared."""
        options, needed = self._options, max((one.position for one in documents), default=0)
        keys = [*options.keys, *self._successors()]
        until = time.monotonic() + PATIENCE
        while True:
            found = read_statement(self._source, keys, options.policy, self._findings)
            if found is None or found.checkpoint.size >= needed or time.monotonic() > until:
                return found
            time.sleep(0.5)

    def _successors(self) -> list[VerifierKey]:
        """Keys that the log, while it was found right, has put in the place of those that we were given."""
        seen = None if self._memory is None else self._memory.seen
        given = [key.vkey for key in (*self._options.keys, *_log_keys(self._options.policy))]
        named = [] if seen is None else successors(given, seen.rules["itself"]["keys"])
        return [VerifierKey.parse(vkey) for vkey in named]

    def _follow(
        self, statement: Statement, documents: list[Document], show: Progress
    ) -> Following | None:
        checkpoint = statement.checkpoint
        seen = None if self._memory is None else self._memory.seen
        if self._memory is not None and seen is not None:
            if seen.origin != checkpoint.origin:
                raise CannotRead(
                    f"{self._options.state} remembers the log {seen.origin!r}, not {checkpoint.origin!r}"
                )
            if not extends(self._source, checkpoint, self._memory, seen, self._findings):
                self._unchecked.append(
                    "The rules and the counts: this is not the log that was audited before. "
                    "Audit it without the state file to see what it says by itself."
                )
                return None
            self._rules.load(seen.rules)
        tree, size = (UpperTree(), 0) if seen is None else (seen.tree, seen.size)
        following = Following(self._source, self._crew, self._findings, self._rules, tree, size)
        if seen is not None and not following.edge_is(seen.head, checkpoint.size):
            first = size - size % TILE_WIDTH + 1
            expected = f"the entries under the head {seen.head.hex()}, as were seen before"
            self._findings.add(Kind.REWRITTEN, first, "other entries", expected, last=size)
        stops: Stops = {at: partial(self._compare, some) for at, some in by_position(documents)}
        following.to(checkpoint, stops, show)
        if stops:
            self._unchecked.append(
                f"{len(stops)} of the published results: they stand for positions that this audit did not "
                f"pass, such as {min(stops):,}."
            )
        if following.unread is not None:
            self._unchecked.append(
                f"Everything from position {following.unread:,} on: it cannot be read."
            )
        self._tallies.counts()
        self._rules.outcomes.compare()
        return following

    def _compare(self, documents: list[Document]) -> None:
        for one in documents:
            self._comparison.compare(one)

    def _remember(self, memory: StateFile, statement: Statement, following: Following) -> None:
        checkpoint = statement.checkpoint
        seen = Seen(
            checkpoint.origin,
            checkpoint.size,
            checkpoint.head,
            statement.note,
            following.tree,
            self._rules.dump(self._tallies.counts()),
        )
        names = following.names.items()
        memory.write(seen, names, self._rules.ids, self._rules.standing())

    def _report(self, statement: Statement | None, following: Following | None) -> Report:
        options, rules = self._options, self._rules
        seen = None if self._memory is None else self._memory.seen
        unchecked = [*self._unchecked, *_not_checked(options, statement, rules)]
        counted = {} if following is None else self._tallies.rolled_up()
        numbers = Numbers(
            entries=rules.position,
            new=rules.position - (0 if seen is None else seen.size),
            tiles=0 if following is None else following.tiles,
            people=rules.places.registered,
            questions=len(rules.questions.by_id),
            choices=sum(n for name, n in rules.events.items() if name.startswith("choice.")),
            decisions=rules.outcomes.decisions,
            documents=self._comparison.compared,
            figures=self._comparison.figures,
            smallest_published=rules.places.smallest_published,
            events=dict(sorted(rules.events.items())),
        )
        return Report(
            place=options.place,
            statement=statement,
            seen=None if seen is None else (seen.size, seen.head),
            findings=self._findings,
            unchecked=unchecked,
            numbers=numbers,
            questions=[
                QuestionResult.of(one, counted.get(name, {}))
                for name, one in rules.questions.by_id.items()
            ],
            recount=self._recount.name,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=time.monotonic() - self._started,
        )


def _log_keys(policy: Policy | None) -> tuple[VerifierKey, ...]:
    return () if policy is None else policy.log_keys


def _recount(name: str, crew: Workers) -> Recount:
    return DuckDBRecount(crew) if name == "duckdb" else PythonRecount(crew)


def _not_checked(options: Options, statement: Statement | None, rules: Rulebook) -> Iterator[str]:
    """What nobody should believe that this audit has checked."""
    if statement is not None and statement.signed_by is None:
        yield (
            "Who signed the checkpoint: no key was given. Get the log's key (vkey) from somewhere else than the log "
            "itself, and give it with --vkey."
        )
    if statement is not None and not statement.cosigned_by:
        yield (
            "Whether others see the same log: no witnesses were asked for (--policy). The log could show you other "
            "entries than it shows to others."
        )
    if options.state is None:
        yield (
            "Whether this log goes on from an earlier one: nothing was remembered from an earlier audit. Keep a "
            "state file (--state), and every later audit will find out if history was rewritten."
        )
    if options.published is None:
        yield "Published results: no place was named to compare with (--published)."
    sealed = sum(one.sealed for one in rules.questions.by_id.values())
    if sealed:
        yield (
            f"{sealed:,} sealed questions: voters are counted; what they chose can be read after the close, once "
            "the key is published."
        )
    for at, why in rules.outcomes.unchecked.items():
        yield f"The decision at position {at:,}: {why}"
    if rules.itself.attested:
        yield (
            f"{rules.itself.attested:,} digests of the ledger's own tables: to compare them takes the program that "
            "fills these tables (civic-ledger attestations), which this one does not rely on."
        )
    for type_, number in sorted(rules.unchecked.items()):
        yield (
            f"{number:,} events of type {type_}: they are hashed and well formed, but this program does not know "
            "what they mean."
        )
    yield (
        "What no public file shows: that each voter is a real person with one choice a question (the operator's "
        "vault knows), and what lies behind commitments to private parts."
    )


@contextmanager
def _no_collector() -> Iterator[None]:
    """An audit makes many objects and no cycles: looking for these would take a third of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
