"""Read → decide → append-if, again on conflict: the one way in which anything gets into the log."""

import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.codec import encode
from ledger.domain.choices import LapseChoice, standing_choices
from ledger.domain.deciding import CitizenCommand, Command, Occasion, Secrets
from ledger.domain.event import instant
from ledger.domain.questions import question
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import LeaveArea, MoveCitizen, citizen
from ledger.eventlog.port import Append, Conflict, EventLog, LogUnavailable, NewEvent
from ledger.eventlog.sequencer import Sequencer
from ledger.facts import Foreseen, KeptStates, LogFacts
from ledger.independent import Independent
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
        self._desk: Sequencer[Given, Accepted] = Sequencer(self._carry_out, "decisions")

    def execute(self, command: Command, command_id: str | None = None) -> Accepted:
        """Carry out a command. With the same `command_id` it is carried out once, however often it is sent.

        An id must not tell who sent it (it becomes part of the public entry): see `Vault.pseudonym`.
        Raises `Refused`, or `LogUnavailable`: then nothing is known, and the same id may be sent again.
        """
        return self._desk.submit((command_id or new_id(), command)).result()

    async def submit(self, command: Command, command_id: str | None = None) -> Accepted:
        """`execute` for an event loop, which is not held up."""
        return await self._desk.submit_from_loop((command_id or new_id(), command))

    def execute_all(self, commands: Sequence[Given]) -> list[Accepted | Refused]:
        """Carry out many commands as if one after the other, with few reads and few commits.

        Raises what `execute` raises, but for `Refused`; the others are carried out all the same.
        """
        outcomes: list[Accepted | Refused] = []
        for outcome in self._carry_out(commands):
            if isinstance(outcome, Exception) and not isinstance(outcome, Refused):
                raise outcome
            outcomes.append(outcome)
        return outcomes

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
            lapse = LapseChoice(citizen=citizen_id, question=one)
            (outcome,) = self.execute_all([(new_id(), lapse)])
            if isinstance(outcome, Accepted):
                ended += 1
            elif outcome.reason not in _NOTHING_TO_LAPSE:
                raise outcome
        return ended

    def close(self) -> None:
        """Carry out what was handed in, then end."""
        self._desk.close()

    def _carry_out(self, commands: Sequence[Given]) -> list[Accepted | Exception]:
        """The outcome of each command, be it an error that concerns no other."""
        outcomes: list[Accepted | Exception] = []
        size = len(commands)
        while len(outcomes) < len(commands):
            done = self._carry_out_independent(commands[len(outcomes) :][:size])
            outcomes += done
            size = 2 * len(
                done
            )  # what is read in vain for commands that must wait stays within bounds
        return outcomes

    def _carry_out_independent(self, commands: Sequence[Given]) -> list[Accepted | Exception]:
        """The outcomes of the first commands: as many as are independent, and at least one."""
        decided = self._decided(commands)
        outcomes = [one.outcome for one in decided]
        for _ in range(ATTEMPTS):
            waiting = [index for index, outcome in enumerate(outcomes) if outcome is None]
            if not waiting:
                break
            for index, answer in self._stored({index: decided[index] for index in waiting}):
                outcomes[index] = answer
                if isinstance(answer, Conflict):
                    decided[index] = self._decide(commands[index], self.vault, fresh=True)
                    outcomes[index] = decided[index].outcome
        return [
            self._settled(command, outcome)
            for (_, command), outcome in zip(commands, outcomes, strict=False)
        ]

    def _stored(
        self, decided: "Mapping[int, _Decided]"
    ) -> Iterator[tuple[int, Accepted | Exception]]:
        try:
            self.vault.keep([part for one in decided.values() for part in one.parts])
            answers = self.log.append_batch([one.append for one in decided.values()])
        except Exception as error:  # whatever it was, each of them must be told
            yield from ((index, error) for index in decided)
            return
        for (index, one), answer in zip(decided.items(), answers, strict=True):
            if isinstance(answer, Conflict):
                yield index, answer
            else:
                if not answer.again:
                    one.facts.learn(one.append.events, answer.position)
                yield index, Accepted(*answer)

    def _decided(self, commands: Sequence[Given]) -> "list[_Decided]":
        secrets: Secrets = self.vault.holding(
            [command.citizen for _, command in commands if isinstance(command, CitizenCommand)]
        )
        independent = Independent()
        decided: list[_Decided] = []
        with self.log.reading():
            foreseen = Foreseen(
                self.log,
                self._kept,
                [one for _, command in commands for one in command.foresees(secrets)],
            )
            for given in commands:
                one = self._decide(given, secrets, foreseen=foreseen)
                if not independent.add(given[0], *one.append):
                    break
                decided.append(one)
                if isinstance(given[1], MoveCitizen | LeaveArea):
                    break  # choices lapse before anything else happens
        return decided

    def _settled(
        self, command: Command, outcome: Accepted | Exception | None
    ) -> Accepted | Exception:
        """The outcome of a command, once all that follows from it is done."""
        if outcome is None:
            return LogUnavailable(
                f"after {ATTEMPTS} tries others were faster each time; send it again"
            )
        if isinstance(outcome, Accepted) and isinstance(command, MoveCitizen | LeaveArea):
            try:
                self.lapse_outgrown(command.citizen)
            except Exception as error:  # sent again, the command is answered when this is done
                return error
        return outcome

    def _decide(
        self,
        given: Given,
        secrets: Secrets,
        *,
        fresh: bool = False,
        foreseen: Foreseen | None = None,
    ) -> "_Decided":
        """Decide on what was last seen, but decline only on what the log says now."""
        facts = LogFacts(self.log, self._kept, fresh=fresh, foreseen=foreseen)
        try:
            return self._prepared(given, facts, secrets)
        except Exception as error:  # it is the outcome of this command, and of no other
            if facts.relied_on_kept:
                return self._decide(given, secrets, fresh=True, foreseen=foreseen)
            outcome: Accepted | Exception = error
            if isinstance(error, Refused):
                position = self.log.position_of(f"{given[0]}/1")
                outcome = error if position is None else Accepted(position, again=True)
            return _Decided(facts, Append((), facts.guards()), [], outcome)

    def _prepared(self, given: Given, facts: LogFacts, secrets: Secrets) -> "_Decided":
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
        return _Decided(facts, Append(tuple(new), facts.guards()), parts)


class _Decided(NamedTuple):
    """What is to be stored for a command; or, with no events, its outcome. The guards bound both."""

    facts: LogFacts
    append: Append
    parts: list[PrivatePart]
    outcome: Accepted | Exception | None = None


_NOTHING_TO_LAPSE = {
    Reason.NO_STANDING_CHOICE,
    Reason.STILL_BELONGS,
    Reason.QUESTION_CLOSED,
    Reason.WINDOW_OVER,
}


def new_id() -> str:
    """A command id that says nothing but when it was made (as UUID version 7, RFC 9562, section 5.7).

    Ids that come in order are stored side by side, which saves the log a page for each.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def _part(event: NewEvent, content: PrivateContent) -> PrivatePart:
    citizen_tag = next(tag for tag in event.tags if tag.startswith("citizen:"))
    assert event.id is not None
    return PrivatePart(event.id, event.type, citizen_tag.removeprefix("citizen:"), content)
