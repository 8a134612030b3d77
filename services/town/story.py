"""The town's story by day: commands with ids of their own, and a clock that runs with them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from ledger.codec import decode
from ledger.domain.deciding import Command
from ledger.domain.event import instant
from ledger.domain.refusals import Refused
from ledger.eventlog.port import EVERYTHING
from ledger.recording import Ledger
from services.assembly import System

DAYS = 60
"""Days from the story's beginning to the present."""

BATCH = 1_000


class Story:
    """Collects what is done on each day (counted back from the present: -60 to -1), then does it.

    Told again on the same log it adds nothing: a command's id follows from its content, and the
    days count from when the story was first told: the log knows when `first` was carried out.
    """

    def __init__(self, system: System, first: Command, now: datetime) -> None:
        self._system = system
        self._days: defaultdict[int, list[tuple[str, Command]]] = defaultdict(list)
        self._now = now
        self.ledger = Ledger(system.log, system.vault, system.settings.origin, clock=self._time)
        told = system.log.position_of(f"{self._id(-DAYS, first)}/1")
        self._began = self._whole_hour(self._now) - timedelta(days=DAYS)
        if told is not None:
            (record,) = system.log.select(EVERYTHING, after=told - 1, limit=1)
            self._began = self._whole_hour(datetime.fromisoformat(decode(record.entry).time))

    def on(self, day: int, *commands: Command) -> None:
        """Have these commands carried out on that day, after those given for it before."""
        self._days[day] += [(self._id(day, command), command) for command in commands]

    def tell(self, until: int = -1) -> None:
        """Carry out, day by day, what was given for the days up to `until`. Raises `Refused`."""
        for day in sorted(one for one in self._days if one <= until):
            self._now = self._began + timedelta(days=DAYS + day)
            commands = self._days.pop(day)
            for start in range(0, len(commands), BATCH):
                self._carry_out(commands[start : start + BATCH])

    def instant(self, day: int) -> str:
        """The moment at which a day of the story begins; days to come are positive."""
        return instant(self._began + timedelta(days=DAYS + day))

    def close(self) -> None:
        """End the story's own ledger; the system's is another."""
        self.ledger.close()

    def _carry_out(self, commands: Iterable[tuple[str, Command]]) -> None:
        for outcome in self.ledger.execute_all(list(commands)):
            if isinstance(outcome, Refused):
                raise outcome

    def _id(self, day: int, command: Command) -> str:
        """A citizen's command gets a pseudonym of its own as id: nobody can tell whose it is."""
        content = f"town {day} {command.verb} {command.model_dump_json()}"
        citizen = getattr(command, "citizen", None)
        if citizen is not None:
            return self._system.vault.pseudonym(citizen, content)
        return sha256(content.encode()).hexdigest()[:32]

    def _time(self) -> datetime:
        self._now += timedelta(seconds=5)
        return self._now

    @staticmethod
    def _whole_hour(moment: datetime) -> datetime:
        return moment.replace(minute=0, second=0, microsecond=0)
