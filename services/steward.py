"""The steward: gives the commands that follow from what happened, so that nobody has to remember them.

Each is a command like any other, decided by the same rules, and is safe to give again.
"""

from ledger.codec import decode
from ledger.domain.event import Event
from ledger.domain.refusals import Refused
from ledger.domain.roll import CitizenLeft, CitizenMoved, MakeAreaPublishable
from ledger.eventlog.port import PAGE, Selection
from ledger.recording import Ledger
from projections.queries import Queries

_DEPARTURES = Selection(types=(CitizenMoved.type, CitizenLeft.type))


class Steward:
    """Lets choices name areas whose roll has grown large enough, and ends choices that a crash left standing."""

    def __init__(self, ledger: Ledger, queries: Queries, publishable_from: int) -> None:
        self._ledger = ledger
        self._queries = queries
        self._publishable_from = publishable_from
        self._departures_seen = 0

    def attend(self) -> None:
        """Do what is due now, as far as the read models have come."""
        self.publish_areas()
        self.lapse_outgrown()

    def publish_areas(self) -> None:
        for area in self._queries.areas_to_publish(self._publishable_from):
            command = MakeAreaPublishable(area=area, at_least=self._publishable_from)
            try:
                self._ledger.execute(command)
            except Refused:  # another process was faster, or the roll has shrunk since
                continue

    def lapse_outgrown(self) -> None:
        """End the choices of everybody who moved or left, if that was not done when they did."""
        while True:
            records = self._ledger.log.select(
                (_DEPARTURES,), after=self._departures_seen, limit=PAGE
            )
            for record in records:
                if _leaves_an_area(decode(record.entry).event):
                    citizen = next(tag for tag in record.tags if tag.startswith("citizen:"))
                    self._ledger.lapse_outgrown(citizen.removeprefix("citizen:"))
                self._departures_seen = record.position
            if len(records) < PAGE:
                return


def _leaves_an_area(event: Event) -> bool:
    """Whether somebody belongs to less than before; one who is only known more closely does not."""
    if isinstance(event, CitizenMoved) and event.origin is not None:
        return not event.home.startswith(event.origin + "/")
    return isinstance(event, CitizenLeft)
