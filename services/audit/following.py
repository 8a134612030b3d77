"""Follows the log from where it was last left to its checkpoint: hashes, compares, lets the rules see each event."""

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.merkle import Frontier
from ledger.transparency.tiles import TILE_WIDTH, Bundle, Tile, bundles_between
from services.audit.bundles import Examined, as_finding, leaves_of
from services.audit.findings import Findings, Kind
from services.audit.parallel import Workers
from services.audit.rules.rulebook import Rulebook
from services.audit.source import Source
from services.audit.tree import UpperTree, compare_tiles

Progress = Callable[[int, int], None]
"""(events done, of how many)"""

Stops = dict[int, Callable[[], None]]
"""What to do when the rules have come to a position."""


class _Differing(NamedTuple):
    position: int
    ours: str
    theirs: str
    file: str


class Following:
    """One way through the log. `size`: how many entries are behind it."""

    def __init__(
        self,
        source: Source,
        workers: Workers,
        findings: Findings,
        rulebook: Rulebook,
        tree: UpperTree,
        size: int,
    ) -> None:
        self._source = source
        self._workers = workers
        self._findings = findings
        self._rulebook = rulebook
        self._differing: list[_Differing] = []
        self._upper = Findings()
        """Of the tiles above level 0: they may only be consequences of a wrong entry."""
        self.tree = tree
        self.size = size
        self.names: dict[int, bytes] = {}
        """Of the bundles read here: the first bytes of their entries' hashes."""
        self.tiles = 0
        self.unread: int | None = None
        """The first position that could not be read, if the rest of the log is unknown."""

    def edge_is(self, head: bytes, size: int) -> bool:
        """Whether the entries of the last bundle that was seen in part are still those, by the head of that time.

        The log has `size` entries now, so that the bundle may be a longer one.
        """
        number, width = divmod(self.size, TILE_WIDTH)
        if not width:
            return self.tree.head() == head
        now = Bundle(number, min(TILE_WIDTH, size - number * TILE_WIDTH))
        leaves = leaves_of(self._source, now)
        edge = Frontier()
        edge.extend((leaves or [])[:width])
        return edge.size == width and self.tree.head(width, edge.heads) == head

    def to(self, checkpoint: Checkpoint, stops: Stops, show: Progress) -> None:
        """Up to the checkpoint. At each of the stops the rules have come exactly so far."""
        start, size = self.size, checkpoint.size
        last: list[bytes] | None = None
        """The heads of the bundle at the end."""
        if start in stops:
            stops[start]()
        for examined in self._workers.examined(bundles_between(start, size)):
            self._findings.extend(map(as_finding, examined.findings))
            if not examined.heads:
                self.unread = examined.number * TILE_WIDTH + 1
                return
            last = examined.heads
            self._hashed(examined, min(TILE_WIDTH, size - examined.number * TILE_WIDTH))
            self._ruled(examined, start, stops)
            show(self._rulebook.position - start, size - start)
            del examined  # see `examine_all`
        self._conclude(checkpoint, last)
        self.size = size

    def _hashed(self, examined: Examined, width: int) -> None:
        first = examined.number * TILE_WIDTH
        self.names[examined.number] = examined.names
        self.tiles += 1
        file = Tile(0, examined.number, width).path
        for at, ours, theirs in examined.differing:
            self._differing.append(_Differing(first + at + 1, ours, theirs, file))
        if width == TILE_WIDTH:
            full = self.tree.extend(examined.heads)
            self.tiles += compare_tiles(self._source, full, self._upper)

    def _ruled(self, examined: Examined, start: int, stops: Stops) -> None:
        first = examined.number * TILE_WIDTH + 1
        skipped = max(0, start - first + 1)
        rows = examined.rows
        self._rulebook.envelopes(first, examined, skipped)
        ends = sorted(one for one in stops if first + skipped <= one < first + len(rows))
        for end in (*ends, first + len(rows) - 1):
            self._rulebook.apply(first + skipped, rows[skipped : end - first + 1])
            skipped = end - first + 1
            if end in stops:
                stops.pop(end)()

    def _conclude(self, checkpoint: Checkpoint, last: list[bytes] | None) -> None:
        width = checkpoint.size % TILE_WIDTH
        if not width:
            head = self.tree.head()
        elif last is not None:
            head = self.tree.head(width, last)
        else:  # nothing was new, and `edge_is` has looked at the edge
            return
        self.tiles += compare_tiles(self._source, self.tree.last_tiles(), self._upper)
        is_right = head == checkpoint.head
        kind = Kind.TILE if is_right else Kind.ENTRY
        for position, ours, theirs, file in self._differing:
            if is_right:
                found, expected = f"the hash {theirs}", f"{ours}, the hash of the entry"
            else:
                found, expected = f"an entry with the hash {ours}", f"{theirs}, as in the tree"
            self._findings.add(kind, position, found, expected, file=file)
        wrong = [] if is_right else [one.position for one in self._differing]
        for finding in self._upper.listed():
            at = bisect_left(wrong, finding.position or 0)
            if at == len(wrong) or wrong[at] > (finding.last or 0):
                self._findings.extend([finding])
        if not is_right:
            found = f"entries that add up to the head {head.hex()}"
            self._findings.add(Kind.HEAD, None, found, f"{checkpoint.head.hex()}, as was signed")
