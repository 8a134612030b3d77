"""How a count stood: at a position of the log, or at the end of a day.

The question model keeps changes by block of positions and by day. How a question stood at a position is what changed
in the blocks before that position's, and the question's events of that block up to it, read from the log. A question
that was asked with sealed results has no count before it was unsealed; it is closed then, so that what it had at that
moment it has ever after.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ledger.domain.choices import CHOICE_TYPES
from ledger.domain.questions import QuestionOpened
from ledger.eventlog.port import EventLog, Selection
from projections.answers import DayTally, OptionCount, QuestionHistory, QuestionTally, TallyOnDay
from projections.counting import MarkCounts, recounted
from projections.projection import folded
from projections.queries.lookups import (
    EVERYWHERE,
    InTheFuture,
    NotFound,
    Page,
    StillSealed,
    Where,
    check_area,
    check_page,
    position_of,
    typed,
)
from projections.queries.questions import (
    asked_question,
    option_tallies,
    public_question,
)
from projections.question import block_of, end_before
from projections.stores.port import Snapshot, Store

_READ_AT_ONCE = 1_000

_VERSION_AT = (
    "SELECT asked FROM question_version WHERE question = ? AND position <= ?"
    " ORDER BY position DESC LIMIT 1"
)
_VERSION_ON = (
    "SELECT asked FROM question_version WHERE question = ? AND day <= ?"
    " ORDER BY position DESC LIMIT 1"
)
_UNSEALED = "SELECT day, position FROM question_key WHERE question = ?"
_CELLS = "SELECT option, mark, sum(count) AS answers FROM question_cell_change"
_VOTERS = "SELECT coalesce(sum(voters), 0) FROM question_voters_change"
_CELL_DAYS = "SELECT day, option, sum(count), sum(count * mark) FROM question_cell_change"
_VOTER_DAYS = "SELECT day, sum(voters) FROM question_voters_change"
_ROLL_DAYS = "SELECT day, change FROM area_roll_day WHERE area = ? ORDER BY day"


class History:
    """Answers from the read models of a store and the log that they are made of."""

    def __init__(self, store: Store, log: EventLog) -> None:
        self._store = store
        self._log = log

    def at(self, question: str, area: str | None, position: int) -> QuestionTally:
        """The count as it stood when the log ended at `position`: what a fresh replay up to it gives.

        Raises `NotFound` where it was not asked by then, `StillSealed` where it was sealed then, `InTheFuture`.
        """
        with self._store.snapshot() as at:
            reached = position_of(at, "question", "area")
            if position > reached:
                raise InTheFuture(f"The read models stand at {reached:,}, before {position:,}.")
            asked_question(at, question)
            asked = _version(at, _VERSION_AT, question, position, f"by position {position:,}")
            _check_unsealed(at, asked, position=position)
            check_area(at, area)
            within = area or asked.electorate
            before = EVERYWHERE.equal(question=question).within("area", within)
            if asked.seal is None:
                before = before.and_("block < ?", block_of(position))
            marks, voters = _counted(at, before)
        if asked.seal is None:
            voters += self._count(question, within, end_before(position), position, marks)
        return QuestionTally(**_tally(asked, within, position, marks, voters))

    def on(self, question: str, area: str | None, day: str) -> TallyOnDay:
        """The count as it stood at the end of a day (UTC), or stands now on the day that has not ended.

        Raises `NotFound` where it was not asked by then, `StillSealed` where it was sealed then.
        """
        with self._store.snapshot() as at:
            asked_question(at, question)
            asked = _version(at, _VERSION_ON, question, day, f"on {day}")
            _check_unsealed(at, asked, day=day)
            check_area(at, area)
            within = area or asked.electorate
            until = EVERYWHERE.equal(question=question).within("area", within)
            marks, voters = _counted(at, until.and_("day <= ?", day))
            position = position_of(at, "question", "area")
        return TallyOnDay(day=day, **_tally(asked, within, position, marks, voters))

    def by_day(
        self,
        question: str,
        area: str | None,
        page: Page,
        *,
        first: str | None = None,
        last: str | None = None,
    ) -> QuestionHistory:
        """How the count went, by the days on which it changed, from a first to a last one.

        Raises `NotFound`, `NoSuchPage`, `StillSealed`.
        """
        with self._store.snapshot() as at:
            asked = public_question(at, question)
            check_area(at, area)
            within = area or asked.electorate
            changes = _Changes(at, asked, within)
            days = [
                day
                for day in changes.days
                if (first is None or first <= day) and (last is None or day <= last)
            ]
            check_page(page, len(days))
            shown = days[page.offset : page.offset + page.limit]
            items = list(changes.at_the_ends_of(shown))
            position = position_of(at, "question", "area")
        return QuestionHistory(
            position=position,
            total=len(days),
            offset=page.offset,
            limit=page.limit,
            question=question,
            title=asked.title,
            area=within,
            method=asked.method.kind,
            items=items,
        )

    def _count(self, question: str, area: str, after: int, until: int, marks: MarkCounts) -> int:
        """Count the question's choices above `after` up to `until` into the marks. The change of its voters."""
        voters = 0
        selection = (Selection(CHOICE_TYPES, (f"question:{question}",)),)
        while after < until:
            records = self._log.select(
                selection, after=after, limit=min(_READ_AT_ONCE, until - after)
            )
            for record in records:
                if record.position > until:
                    return voters
                event: Any = folded(record).event
                for answer, change in recounted(event):
                    if (answer.area + "/").startswith(area + "/"):
                        marks.count(answer, change)
                        voters += change
                after = record.position
            if not records:
                return voters
        return voters


def _version(at: Snapshot, sql: str, question: str, until: str | int, when: str) -> QuestionOpened:
    rows = at.rows(sql, question, until)
    if not rows:
        raise NotFound(f"The question {question!r} had not been asked {when}.")
    return QuestionOpened.model_validate_json(str(rows[0][0]))


def _check_unsealed(
    at: Snapshot, asked: QuestionOpened, *, day: str | None = None, position: int = 0
) -> None:
    if asked.seal is None:
        return
    for unsealed_day, unsealed_at in typed(at.rows(_UNSEALED, asked.question)):
        if position >= unsealed_at or (day is not None and day >= unsealed_day):
            return
    raise StillSealed(f"The results of {asked.question!r} were sealed then, or still are.")


def _counted(at: Snapshot, where: Where) -> tuple[MarkCounts, int]:
    """The marks and the voters, added up over changes."""
    cells = typed(at.rows(f"{_CELLS}{where.sql} GROUP BY option, mark", *where.values))
    marks = MarkCounts({(option, mark): count for option, mark, count in cells})
    return marks, int(at.rows(_VOTERS + where.sql, *where.values)[0][0] or 0)


def _tally(
    asked: QuestionOpened, area: str, position: int, marks: MarkCounts, voters: int
) -> dict[str, Any]:
    """The fields of a tally."""
    return {
        "position": position,
        "question": asked.question,
        "title": asked.title,
        "area": area,
        "method": asked.method.kind,
        "voters": voters,
        "options": option_tallies(asked, {cell: count for cell, count in marks.items() if count}),
    }


class _Changes:
    """What changed in a question's count on each day, in one area, and in the area's roll."""

    def __init__(self, at: Snapshot, asked: QuestionOpened, area: str) -> None:
        self._asked = asked
        where = EVERYWHERE.equal(question=asked.question).within("area", area)
        voters = f"{_VOTER_DAYS}{where.sql} GROUP BY day"
        cells = f"{_CELL_DAYS}{where.sql} GROUP BY day, option"
        self._voters: dict[str, int] = dict(typed(at.rows(voters, *where.values)))
        self._options: defaultdict[str, list[tuple[str, int, int]]] = defaultdict(list)
        for day, option, count, total in typed(at.rows(cells, *where.values)):
            self._options[day].append((option, count, total))
        self._roll = typed(at.rows(_ROLL_DAYS, area))
        self.days = sorted({*self._voters, *self._options})

    def at_the_ends_of(self, shown: Sequence[str]) -> Iterator[DayTally]:
        """How the question stood at the ends of some days, which come in order."""
        counts, totals = Counter[str](), Counter[str]()
        voters = 0
        public = self._asked.seal is None
        wanted = set(shown)
        for day in self.days:
            voters += self._voters.get(day, 0)
            for option, count, total in self._options[day]:
                counts[option] += count
                totals[option] += total
                public = True  # a sealed question has no counts before the day it was unsealed
            if day in wanted:
                yield self._tally(day, voters, counts, totals if public else None)

    def _tally(
        self, day: str, voters: int, counts: Counter[str], totals: Counter[str] | None
    ) -> DayTally:
        roll = sum(change for changed_on, change in self._roll if changed_on <= day)
        return DayTally(
            day=day,
            voters=voters,
            roll=roll,
            share_per_mille=voters * 1000 // roll if roll else 0,
            options=[
                OptionCount(id=one.id, title=one.title, count=counts[one.id], total=totals[one.id])
                for one in self._asked.options
            ]
            if totals is not None
            else [],
        )
