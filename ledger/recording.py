"""Read → decide → append-if, again on conflict: the one way in which anything gets into the log."""

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.codec import encode
from ledger.domain.choices import LapseChoice, standing_choices
from ledger.domain.deciding import CitizenCommand, Command, Occasion, Secrets
from ledger.domain.event import instant
from ledger.domain.questions import question
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import LeaveArea, MoveCitizen, citizen
from ledger.eventlog.port import Append, Appended, Conflict, EventLog, LogUnavailable, NewEvent
from ledger.eventlog.sequencer import Sequencer
from ledger.facts import Foreseen, KeptStates, LogFacts
from ledger.vault.keys import PrivateContent
from ledger.vault.vault import PrivatePart, Vault

ATTEMPTS = 100
"""Decisions taken on one command before it gives up. Each lost attempt means that somebody else's was won."""


class Accepted(NamedTuple):
    """A command's last event stands at `position`; `again`: the command had been carried out before."""

    position: int
    again: bool = False


Given = tuple[str, Command]
"""A command with its id."""


class Ledger:
    """Carries out commands. May be used from any thread; several processes may share a log and a vault.

    Callers hand their commands to one thread, which decides and appends all that are waiting in one go.
    """

    def __init__(
        self,
        log: EventLog,
        vault: Vault,
        source: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.log = log
        self.vault = vault
        self._source = source
        self._clock = clock
        self._kept = KeptStates()
        self._desk: Sequencer[Given, Accepted] = Sequencer(self.execute_all, "decisions")

    def execute(self, command: Command, command_id: str | None = None) -> Accepted:
        """Carry out a command. With the same `command_id` it is carried out once, however often it is sent.

        An id must not tell who sent it (it becomes part of the public entry): see `Vault.pseudonym`.
        Raises `Refused`, or `LogUnavailable`: then nothing is known, and the same id may be sent again.
        """
        return self._desk.submit((command_id or new_id(), command)).result()

    async def submit(self, command: Command, command_id: str | None = None) -> Accepted:
        """`execute` for an event loop, which is not held up."""
        return await asyncio.wrap_future(self._desk.submit((command_id or new_id(), command)))

    def execute_all(self, commands: Sequence[Given]) -> list[Accepted | Refused]:
        """Carry out many commands as if one after the other, with few reads and few commits."""
        outcomes = self._execute_together(commands)
        for index, given in enumerate(commands):
            if (
                index not in outcomes
            ):  # it lost, or an earlier command of this call had to come first
                try:
                    outcomes[index] = self._execute_alone(given)
                except Refused as refusal:
                    outcomes[index] = refusal
        for index, (_, command) in enumerate(commands):
            if isinstance(command, MoveCitizen | LeaveArea):
                if isinstance(outcomes[index], Accepted):
                    self.lapse_outgrown(command.citizen)
        return [outcomes[index] for index in range(len(commands))]

    def facts(self) -> LogFacts:
        """What the log says now, for reading only."""
        return LogFacts(self.log, self._kept, fresh=True)

    def lapse_outgrown(self, citizen_id: str) -> int:
        """End the standing choices of a citizen where they no longer belong. How many there were.

        Each ends by a decision of its own, with an id and a time of its own and in random order, so that no
        entry says that two of them are one person's (design, section 7). Safe to call again after a crash.
        """
        facts = self.facts()
        person = facts.about(citizen(citizen_id))
        outgrown = [
            one
            for one in facts.about(standing_choices(citizen_id)).questions
            if (asked := facts.about(question(one)).asked)
            and not person.belongs_to(asked.electorate)
        ]
        random.SystemRandom().shuffle(outgrown)
        ended = 0
        for one in outgrown:
            try:
                self._execute_alone((new_id(), LapseChoice(citizen=citizen_id, question=one)))
            except Refused as refusal:
                if refusal.reason not in _NOTHING_TO_LAPSE:
                    raise
            else:
                ended += 1
        return ended

    def close(self) -> None:
        """Carry out what was handed in, then end."""
        self._desk.close()

    def _execute_together(self, commands: Sequence[Given]) -> dict[int, Accepted | Refused]:
        """The outcomes of those commands that nothing stood in the way of."""
        outcomes: dict[int, Accepted | Refused] = {}
        prepared: dict[int, _Prepared] = {}
        secrets: Secrets = self.vault.holding(
            [command.citizen for _, command in commands if isinstance(command, CitizenCommand)]
        )
        with self.log.reading():
            foreseen = Foreseen(
                self.log, [one for _, command in commands for one in command.foresees(secrets)]
            )
            for index, given in enumerate(commands):
                with suppress(Refused):  # it may need an earlier command of this call
                    prepared[index] = self._decide(given, secrets, foreseen=foreseen)
        if prepared:
            self.vault.keep([part for one in prepared.values() for part in one.parts])
            stored = self.log.append_batch([one.append for one in prepared.values()])
            for index, appended in zip(prepared, stored, strict=True):
                if isinstance(appended, Appended):
                    outcomes[index] = Accepted(*appended)
        return outcomes

    def _execute_alone(self, given: Given) -> Accepted:
        for attempt in range(ATTEMPTS):
            try:
                prepared = self._decide(given, self.vault, fresh=attempt > 0)
            except Refused:
                position = self.log.position_of(f"{given[0]}/1")
                if position is None:
                    raise
                return Accepted(position, again=True)
            self.vault.keep(prepared.parts)
            (appended,) = self.log.append_batch((prepared.append,))
            if not isinstance(appended, Conflict):
                return Accepted(*appended)
        raise LogUnavailable(f"after {ATTEMPTS} tries others were faster each time; send it again")

    def _decide(
        self,
        given: Given,
        secrets: Secrets,
        *,
        fresh: bool = False,
        foreseen: Foreseen | None = None,
    ) -> "_Prepared":
        """Decide on what was last seen, but refuse only on what the log says now. Raises `Refused`."""
        facts = LogFacts(self.log, self._kept, fresh=fresh, foreseen=foreseen)
        try:
            return self._prepared(given, facts, secrets)
        except Refused:
            if not facts.relied_on_kept:
                raise
        return self._decide(given, secrets, fresh=True, foreseen=foreseen)

    def _prepared(self, given: Given, facts: LogFacts, secrets: Secrets) -> "_Prepared":
        command_id, command = given
        private = command.private()
        content = None if private is None else PrivateContent(dict(private))
        now = instant(self._clock())
        occasion = Occasion(now, secrets, None if content is None else content.commitment)
        new = []
        for n, (event, tags) in enumerate(command.decide(facts, occasion), 1):
            event_id = f"{command_id}/{n}"
            entry = encode(event, event_id=event_id, source=self._source, time=now)
            new.append(NewEvent(event.type, entry, tags, event_id))
        parts = [] if content is None else [_part(new[0], content)]
        return _Prepared(Append(tuple(new), facts.guards()), parts)


class _Prepared(NamedTuple):
    append: Append
    parts: list[PrivatePart]


_NOTHING_TO_LAPSE = {
    Reason.NO_STANDING_CHOICE,
    Reason.STILL_BELONGS,
    Reason.QUESTION_CLOSED,
    Reason.WINDOW_OVER,
}


def new_id() -> str:
    """A command id that says nothing."""
    return uuid.uuid4().hex


def _part(event: NewEvent, content: PrivateContent) -> PrivatePart:
    citizen_tag = next(tag for tag in event.tags if tag.startswith("citizen:"))
    assert event.id is not None
    return PrivatePart(event.id, event.type, citizen_tag.removeprefix("citizen:"), content)
