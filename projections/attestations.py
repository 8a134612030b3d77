"""Attestations: the ledger states its read models' digests in the log, and anybody who replays can compare.

A dashboard shows what the read models hold. Who changes them there, and not in the log, either keeps the digest from
being attested, which is seen, or has a false one attested, which a replay of the entries up to that position finds.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ledger.codec import decode
from ledger.domain.refusals import Refused
from ledger.domain.transparency import AttestDigest, DigestAttested
from ledger.eventlog.port import EVERYTHING, EventLog, Record, Selection
from ledger.recording import Ledger
from projections.digest import digest
from projections.projection import Projection
from projections.stores.port import Store
from projections.stores.sqlite import SQLiteStore
from projections.worker import Progress, Worker

_ALL = Selection(types=(DigestAttested.type,))


class Checked(NamedTuple):
    """One attestation, and what a replay gives. `replayed` None: it is of a version that is not known here."""

    position: int
    """Of the attestation itself."""
    attested: DigestAttested
    replayed: str | None

    @property
    def is_false(self) -> bool:
        return self.replayed is not None and self.replayed != self.attested.digest


def attestable(projections: Sequence[Projection]) -> list[Projection]:
    """The models whose digest says something to those who have entries alone."""
    return [one for one in projections if any(not table.personal for table in one.tables)]


class Attestor:
    """States what the models of one store hold."""

    def __init__(self, ledger: Ledger, store: Store, projections: Sequence[Projection]) -> None:
        self._ledger = ledger
        self._store = store
        self._projections = attestable(projections)

    def last(self) -> datetime | None:
        """When something was attested last."""
        times = [datetime.fromisoformat(decode(one.entry).time) for one in self._last().values()]
        return max(times, default=None)

    def attest(self) -> int:
        """Attest every model that has seen anything but attestations since its last. How many there were."""
        last, done = self._last(), 0
        for one in self._projections:
            position, hexadecimal = digest(self._store, one)
            record = last.get(one.name)
            since = 0
            if record is not None:
                event = decode(record.entry).event
                assert isinstance(event, DigestAttested)
                since = event.position if event.version == one.version else 0
            if self._has_news(since, position):
                command = AttestDigest(
                    model=one.name, version=one.version, position=position, digest=hexadecimal
                )
                try:
                    self._ledger.execute(command)
                except Refused:  # another process was faster
                    continue
                done += 1
        return done

    def _last(self) -> dict[str, Record]:
        selections = [_ALL._replace(tags=(f"model:{one.name}",)) for one in self._projections]
        found = self._ledger.log.latest_each(selections)
        return {
            one.name: records[0]
            for one, records in zip(self._projections, found, strict=True)
            if records
        }

    def _has_news(self, since: int, position: int) -> bool:
        most = 2 * len(self._projections) + 1
        records = self._ledger.log.select(EVERYTHING, after=since, limit=most)
        return any(one.position <= position and one.type != DigestAttested.type for one in records)


def check(
    log: EventLog, projections: Sequence[Projection], progress: Progress | None = None
) -> Iterator[Checked]:
    """Every attestation in the log, beside a replay of the log up to where it stands for.

    Raises `ModelsHalted` for an event that cannot be folded.
    """
    known = {(one.name, one.version): one for one in projections}
    found = [
        (record.position, event)
        for record in log.select((_ALL,))
        if isinstance(event := decode(record.entry).event, DigestAttested)
    ]
    with tempfile.TemporaryDirectory(prefix="civic-attestations-") as folder:
        store = SQLiteStore(Path(folder) / "store.sqlite")
        try:
            worker = Worker(log, store, projections)
            for position, event in sorted(found, key=lambda one: one[1].position):
                projection = known.get((event.model, event.version))
                replayed = None
                if projection is not None and event.position < position:
                    if event.position:
                        worker.catch_up(progress, until=event.position)
                    replayed = digest(store, projection).digest
                elif projection is not None:
                    replayed = "nothing: the position had not come"
                yield Checked(position, event, replayed)
        finally:
            store.close()
