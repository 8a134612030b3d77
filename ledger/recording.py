"""Read → decide → append-if, again on conflict: the one way in which anything gets into the log."""

import asyncio
import random
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from ledger.codec import decode, encode
from ledger.domain.choices import LapseChoice, standing_choices
from ledger.domain.deciding import Command, Occasion, Perspective, State
from ledger.domain.event import Happened, instant
from ledger.domain.questions import question
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import LeaveArea, MoveCitizen, citizen
from ledger.eventlog.port import (
    Append,
    Appended,
    Conflict,
    EventLog,
    Guard,
    LogUnavailable,
    NewEvent,
    Selection,
)
from ledger.vault.keys import PrivateContent
from ledger.vault.vault import PrivatePart, Vault

S = TypeVar("S", bound=State)

ATTEMPTS = 100
"""Decisions taken on one command before it gives up. Each lost attempt means that somebody else's was won."""

KEPT_STATES = 20_000
"""Pieces of shared knowledge (questions, areas, offers) that are kept in memory."""


class Accepted(NamedTuple):
    """A command's last event stands at `position`; `again` says that the command had been carried out before."""

    position: int
    again: bool = False


class _Known(NamedTuple):
    state: Any
    after: int
    """The position of the last event folded into the state."""


class _KeptStates:
    """The most recently used shared states. They may be behind the log: guards find that out."""

    def __init__(self) -> None:
        self._states: OrderedDict[object, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> _Known | None:
        with self._lock:
            known = self._states.get(key)
            if known is not None:
                self._states.move_to_end(key)
            return known

    def put(self, key: object, known: _Known) -> None:
        with self._lock:
            self._states[key] = known
            if len(self._states) > KEPT_STATES:
                self._states.popitem(last=False)


class LogFacts:
    """The facts of one decision, read from the log, and the guards that make up its consistency boundary.

    `head` is a head of the log from before the first question, if it is known. Unless `fresh`, shared states are taken as they were last seen, without a look at the log: the guard then
    refuses an append that rests on an old one.
    """

    def __init__(self, log: EventLog, kept: _KeptStates, *, fresh: bool, head: int = 0) -> None:
        self._log = log
        self._head = head
        self._kept = kept
        self._fresh = fresh
        self._known: dict[object, _Known] = {}
        self._guards: list[Guard] = []
        self.relied_on_kept = False

    def about(self, perspective: Perspective[S]) -> S:
        key = (perspective.start, perspective.types, perspective.tags)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._look_up(perspective, key)
        state: S = known.state
        return state

    def guards(self) -> tuple[Guard, ...]:
        return tuple(self._guards)

    def _look_up(self, perspective: Perspective[Any], key: object) -> _Known:
        kept = self._kept.get(key) if perspective.shared else None
        if kept is not None and not self._fresh:
            self.relied_on_kept = True
            self._guard(perspective, kept.after, known_to=0)
            return kept
        known = self._caught_up(perspective, kept or _Known(perspective.start(), 0))
        self._guard(perspective, known.after, known_to=self._head)
        if perspective.shared:
            self._kept.put(key, known)
        return known

    def _guard(self, perspective: Perspective[Any], after: int, known_to: int) -> None:
        selection = Selection(perspective.types, perspective.tags)
        self._guards.append(Guard(selection, after, known_to))

    def _caught_up(self, perspective: Perspective[Any], known: _Known) -> _Known:
        state, after = known
        selection = Selection(perspective.types, perspective.tags)
        for record in self._log.select((selection,), after=after):
            event = decode(record.entry).event
            state = state.evolve(Happened(event, record.tags) if perspective.tagged else event)
            after = record.position
        return _Known(state, after)


class Ledger:
    """Carries out commands. May be used from any thread; several processes may share a log and a vault."""

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
        self._kept = _KeptStates()

    def execute(self, command: Command, command_id: str | None = None) -> Accepted:
        """Carry out a command. With the same `command_id` it is carried out once, however often it is sent.

        An id must not tell who sent it (it becomes part of the public entry): see `Vault.pseudonym`.
        Raises `Refused`, or `LogUnavailable`: then nothing is known, and the same id may be sent again.
        """
        command_id = command_id or new_id()
        content = _private_content(command)
        for attempt in range(ATTEMPTS):
            prepared = self._prepare(command, command_id, content, fresh=attempt > 0)
            if isinstance(prepared, Accepted):
                return prepared
            self._keep(prepared.parts)
            try:
                appended = self.log.submit(prepared.append).result()
            except Conflict:
                continue
            return self._settle(command, appended)
        raise _contended()

    async def submit(self, command: Command, command_id: str | None = None) -> Accepted:
        """`execute` for an event loop: it waits for the log without holding the loop up."""
        command_id = command_id or new_id()
        if command.private() is not None or isinstance(command, MoveCitizen | LeaveArea):
            return await asyncio.to_thread(self.execute, command, command_id)
        for attempt in range(ATTEMPTS):
            prepared = self._prepare(command, command_id, None, fresh=attempt > 0)
            if isinstance(prepared, Accepted):
                return prepared
            try:
                appended = await asyncio.wrap_future(self.log.submit(prepared.append))
            except Conflict:
                continue
            return Accepted(*appended)
        raise _contended()

    def execute_all(self, commands: Sequence[tuple[str, Command]]) -> list[Accepted | Refused]:
        """Carry out many commands (id, command) as if one after the other, with few commits."""
        outcomes: dict[int, Accepted | Refused] = {}
        waiting: dict[int, _Prepared] = {}
        head = self.log.head()
        with self.log.reading():
            for index, (command_id, command) in enumerate(commands):
                content = _private_content(command)
                try:
                    prepared = self._prepare(command, command_id, content, fresh=False, head=head)
                except Refused:
                    continue  # an earlier command of this call may have to come first
                if isinstance(prepared, Accepted):
                    outcomes[index] = prepared
                else:
                    waiting[index] = prepared
        self._keep([part for one in waiting.values() for part in one.parts])
        stored = self.log.append_batch([one.append for one in waiting.values()]) if waiting else []
        for index, appended in zip(waiting, stored, strict=True):
            if isinstance(appended, Appended):
                outcomes[index] = self._settle(commands[index][1], appended)
        for index, (command_id, command) in enumerate(commands):
            if index not in outcomes:
                try:
                    outcomes[index] = self.execute(command, command_id)
                except Refused as refusal:
                    outcomes[index] = refusal
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
                self.execute(LapseChoice(citizen=citizen_id, question=one))
            except Refused as refusal:
                if refusal.reason not in _NOTHING_TO_LAPSE:
                    raise
            else:
                ended += 1
        return ended

    def _prepare(
        self,
        command: Command,
        command_id: str,
        content: PrivateContent | None,
        *,
        fresh: bool,
        head: int = 0,
    ) -> "_Prepared | Accepted":
        facts = LogFacts(self.log, self._kept, fresh=fresh, head=head)
        now = instant(self._clock())
        occasion = Occasion(now, self.vault, content.commitment if content else None)
        try:
            happened = command.decide(facts, occasion)
        except Refused:
            if facts.relied_on_kept:
                return self._prepare(command, command_id, content, fresh=True)
            position = self.log.position_of(f"{command_id}/1")
            if position is None:
                raise
            return Accepted(position, again=True)
        new = tuple(
            NewEvent(
                event.type,
                encode(event, event_id=f"{command_id}/{n}", source=self._source, time=now),
                tags,
                f"{command_id}/{n}",
            )
            for n, (event, tags) in enumerate(happened, 1)
        )
        parts = [] if content is None else [_part(new[0], content)]
        return _Prepared(Append(new, facts.guards()), parts)

    def _keep(self, parts: Sequence[PrivatePart]) -> None:
        if parts:
            self.vault.keep(parts)

    def _settle(self, command: Command, appended: Appended) -> Accepted:
        if isinstance(command, MoveCitizen | LeaveArea):
            self.lapse_outgrown(command.citizen)
        return Accepted(*appended)


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


def _private_content(command: Command) -> PrivateContent | None:
    private = command.private()
    return None if private is None else PrivateContent(dict(private))


def _part(event: NewEvent, content: PrivateContent) -> PrivatePart:
    citizen_tag = next(tag for tag in event.tags if tag.startswith("citizen:"))
    assert event.id is not None
    return PrivatePart(event.id, event.type, citizen_tag.removeprefix("citizen:"), content)


def _contended() -> LogUnavailable:
    return LogUnavailable(f"after {ATTEMPTS} tries others were faster each time; send it again")
