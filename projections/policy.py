"""The policy area model: the taxonomy, and how far each area has come in each of its policy areas."""

from collections.abc import Sequence

from ledger.domain.policies import PolicyAmended, PolicyDefined
from projections.course import COURSE_TYPES, FIGURES, Course, asked_table, promise_table
from projections.projection import Folded, Projection, Rows, Table

POLICY = Table("policy", ("policy",), ("name", "parent"), indexes=(("parent",),))
FIGURES_BY_AREA = Table("policy_area", ("policy", "area"), FIGURES, frozenset(FIGURES))
ASKED = asked_table("policy_asked")
PROMISE = promise_table("policy_promise")

_FOLDED = COURSE_TYPES | {PolicyDefined.type, PolicyAmended.type}


class PolicyProjection(Projection):
    name = "policy"
    version = 1
    tables = (POLICY, FIGURES_BY_AREA, ASKED, PROMISE)

    def __init__(self) -> None:
        self._course = Course(ASKED, PROMISE)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        for one in events:
            if one.type in _FOLDED:
                self._fold(one, rows)

    def _fold(self, one: Folded, rows: Rows) -> None:
        match one.event:
            case PolicyDefined() as defined:
                rows.put(POLICY, (defined.policy,), defined.name, defined.parent)
            case PolicyAmended() as amended:
                row = rows.get(POLICY, (amended.policy,))
                if row is None:
                    raise LookupError(f"the policy area {amended.policy!r} was never defined")
                rows.put(POLICY, (amended.policy,), amended.name, row[1])
            case _:
                for step in self._course.follow(one, rows):
                    if step.policy is not None:
                        rows.add(FIGURES_BY_AREA, (step.policy, step.area), *step.changes())
