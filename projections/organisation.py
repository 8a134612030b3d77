"""The organisation model: who they are, the programmes they put forward, and what they are responsible for."""

from collections.abc import Sequence

from ledger.domain.organisations import OrganisationRegistered
from ledger.domain.outcomes import DecisionRecorded, OutcomeReported
from ledger.domain.questions import QuestionAmended, QuestionOpened
from projections.course import COURSE_TYPES, Course, asked_table, promise_table
from projections.projection import Folded, Projection, Rows, Table

ORGANISATION = Table(
    "organisation",
    ("organisation",),
    ("name", "kind", "area", "about"),
    indexes=(("area",),),
)
PROGRAMME = Table(
    "organisation_programme",
    ("organisation", "question", "option"),
    ("title", "area", "policy", "mandate"),
    frozenset({"mandate"}),
    indexes=(("question",),),
)
DUTY = Table(
    "organisation_duty",
    ("organisation", "position", "kind"),
    ("question", "time"),
    frozenset({"position"}),
)
"""What an organisation answers for: `recorded` a decision, was `adopted` by one, `reported` an outcome."""

COUNTED = ("programmes", "decisions", "pending", "kept", "broken", "dropped")
FIGURES_OF = Table("organisation_figures", ("organisation",), COUNTED, frozenset(COUNTED))
ASKED = asked_table("organisation_asked")
PROMISE = promise_table("organisation_promise")

_FOLDED = COURSE_TYPES | {OrganisationRegistered.type}


class OrganisationProjection(Projection):
    name = "organisation"
    version = 1
    tables = (ORGANISATION, PROGRAMME, DUTY, FIGURES_OF, ASKED, PROMISE)

    def __init__(self) -> None:
        self._course = Course(ASKED, PROMISE)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        for one in events:
            if one.type in _FOLDED:
                self._fold(one, rows)

    def _fold(self, one: Folded, rows: Rows) -> None:
        match one.event:
            case OrganisationRegistered() as new:
                rows.put(ORGANISATION, (new.organisation,), new.name, new.kind, new.area, new.about)
            case QuestionAmended(options=options) as amended if options is not None:
                # An amendment gives all options anew; it comes before the first choice.
                self._put_forward(rows, amended.question, -1)
                self._course.follow(one, rows)
                self._put_forward(rows, amended.question, 1)
            case DecisionRecorded() as decision:
                self._decided(rows, one, decision)
            case OutcomeReported(by=str() as by) as outcome:
                rows.put(DUTY, (by, one.position, "reported"), outcome.question, one.time)
        for step in self._course.follow(one, rows):
            if step.organisation is not None:
                rows.add(FIGURES_OF, (step.organisation,), *step.changes(COUNTED))
        if isinstance(one.event, QuestionOpened):
            self._put_forward(rows, one.event.question, 1)

    def _put_forward(self, rows: Rows, question: str, change: int) -> None:
        """Put down the programmes among the options as they now stand, or (−1) take them off."""
        asked = self._course.asked(rows, question)
        for option, (title, organisation) in asked.choices().items():
            if organisation is None:
                continue
            key = (organisation, question, option)
            if change > 0:
                rows.put(PROGRAMME, key, title, asked.area, asked.policy, asked.mandate)
            else:
                rows.delete(PROGRAMME, key)
            rows.add(FIGURES_OF, (organisation,), *_figures(programmes=change))

    def _decided(self, rows: Rows, one: Folded, decision: DecisionRecorded) -> None:
        choices = self._course.asked(rows, decision.question).choices()
        for organisation in {choices[option][1] for option in decision.adopted} - {None}:
            rows.put(DUTY, (organisation, one.position, "adopted"), decision.question, one.time)
        if decision.by is not None:
            rows.put(DUTY, (decision.by, one.position, "recorded"), decision.question, one.time)
            rows.add(FIGURES_OF, (decision.by,), *_figures(decisions=1))


def _figures(**changes: int) -> tuple[int, ...]:
    return tuple(changes.get(name, 0) for name in COUNTED)
