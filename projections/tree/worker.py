"""The tree worker: follows the log, and publishes checkpoints that never contradict each other.

A crash is safe at every point, because what is signed was written down before (`last_signed`), and what is written
down was read from the log. The next start finds: files that nobody knows of yet (written anew, the same bytes); a head
that is written down and perhaps signed, but not published (signed again, the same text); or all of it.
"""

import threading
import time

from ledger.eventlog.port import EventLog
from projections.tree.checking import Parted, entries_between, has_edge, recomputed
from projections.tree.folder import PublicFolder
from projections.tree.growing import GrowingTree
from projections.tree.last_signed import LastSigned, TreeHead
from projections.tree.publishing import Publisher, TreeStatus

BATCH = 51_200
"""Entries between two checkpoints at most: what the loser of a compare-and-swap does again."""

LOOK_AGAIN = 0.25
"""Seconds after which a worker that waits for events looks whether it was stopped."""


class TreeWorker:
    """Any number may run on one log, folder and store: of two that go on at once, one does. Use from one thread.

    Raises `Parted`, then for good; `LastSignedUnavailable`, `OSError`, the log's and the keys' errors: try again.
    """

    def __init__(
        self,
        log: EventLog,
        folder: PublicFolder,
        last_signed: LastSigned,
        origin: str,
        publisher: Publisher,
        batch: int = BATCH,
    ) -> None:
        self._log = log
        self._folder = folder
        self._last_signed = last_signed
        self._origin = origin
        self._publisher = publisher
        self._batch = batch
        self._tree: GrowingTree | None = None
        """What is written down as signed, or what was published, and no entry more: its files are there."""
        self._known: TreeHead | None = None
        """What the store held when it was last read."""
        self._parted: Parted | None = None

    @property
    def status(self) -> TreeStatus:
        """How far it has come. From any thread."""
        return self._publisher.status

    def catch_up(self) -> TreeStatus:
        """Publish all that the log holds now, unless it is held back."""
        while self.step():
            pass
        return self.status

    def follow(self, stop: threading.Event, pace: float) -> None:
        """Publish what comes in until told to stop: at once after a pause, else every `pace` seconds."""
        while not stop.is_set():
            self.round(stop, pace)

    def round(self, stop: threading.Event, pace: float) -> None:
        """One step, and the pause after it: what is left of the pace, or until something new may have come."""
        started, before = time.monotonic(), self.status
        if self.step():
            return
        if self.status.published != before.published or self.status.held_back is not None:
            stop.wait(pace - (time.monotonic() - started))
        else:
            self._log.wait(self.status.published or 0, timeout=LOOK_AGAIN)

    def step(self) -> bool:
        """Publish a checkpoint of what is new, if anything is. Whether there is more to do at once."""
        if self._parted is not None:
            raise self._parted
        try:
            if self._tree is None:
                self._tree = self._started()
            return self._go_on(self._tree)
        except Parted as parted:
            self._parted = parted
            self._publisher.refuse(parted)
            raise

    def rewrite(self) -> None:
        """Write the files of all that was signed anew, from the log, if it extends what was signed."""
        if self._tree is None:
            self._tree = self._started()
        self._take_in(GrowingTree(), self._tree.size)

    def _started(self) -> GrowingTree:
        self._known = self._last_signed.read(self._origin)
        published = self._publisher.prepare(self._known)
        signed = [one for one in (self._known, published) if one is not None]
        tree = recomputed(self._log, signed, self._folder)
        if not has_edge(self._folder, tree):
            self._take_in(GrowingTree(), tree.size)
        return tree

    def _go_on(self, before: GrowingTree) -> bool:
        tree = before.copy()  # what fails half-way is done again from `before`
        known = self._come_to_known(tree)
        start = tree.size
        self._take_in(tree, start + self._batch)
        head = TreeHead(tree.size, tree.head())
        if head != known and not self._last_signed.advance(self._origin, known, head):
            return True  # another worker was faster: look first at what it is about to sign
        self._tree, self._known = tree, head
        if head.size != self.status.published:
            self._publisher.publish(head)
        return tree.size - start == self._batch

    def _come_to_known(self, tree: GrowingTree) -> TreeHead | None:
        """Come to what another worker may have signed meanwhile, which the log must give too."""
        known = self._last_signed.read(self._origin)
        if self._known is not None and (known is None or known.size < self._known.size):
            raise Parted("the last-signed store went back: it is not the one that was used before")
        if known is not None and known.size >= tree.size:
            self._take_in(tree, known.size)
            if TreeHead(tree.size, tree.head()) != known:
                raise Parted(
                    f"a tree of {known.size:,} entries was signed elsewhere, and they are not the log's: "
                    f"they part after position {self._known.size if self._known else 0:,}"
                )
        self._known = known
        return known

    def _take_in(self, tree: GrowingTree, to: int) -> None:
        """Read entries up to a position, or the log's end. When this returns, their files are on the disk."""
        before = tree.size
        for entries in entries_between(self._log, before, to):
            self._folder.write(tree.extend(entries))
        if tree.size != before:
            self._folder.write(tree.partials())
