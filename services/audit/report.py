"""What an audit says in the end: for programs as JSON, for people as a page. Neither names a person or a voter."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ledger.transparency.strict import base64_of
from services.audit.checkpoints import Statement
from services.audit.counting import AreaCount
from services.audit.findings import Findings
from services.audit.rules.asked import Question


@dataclass(frozen=True)
class Numbers:
    """How much was checked. `new`: entries that no earlier audit had read."""

    entries: int
    new: int
    tiles: int
    people: int
    questions: int
    choices: int
    decisions: int
    documents: int
    figures: int
    smallest_published: int | None
    events: dict[str, int]


class QuestionResult(NamedTuple):
    """What was counted again of one question: its electorate's voters, and each option's choices and sum of marks."""

    question: str
    title: str
    area: str
    stage: str
    voters: int
    options: list[tuple[str, str, int, int]]
    """Id, title, choices, sum of the marks. Empty while the question is sealed."""
    adopted: list[str] | None

    @classmethod
    def of(cls, question: Question, counts: Mapping[str, AreaCount]) -> "QuestionResult":
        count = counts.get(question.electorate.id, AreaCount())
        options = []
        for option in [] if question.sealed else question.asked["options"]:
            marks = [(mark, n) for (id_, mark), n in count.cells.items() if id_ == option["id"]]
            number, total = sum(n for _, n in marks), sum(mark * n for mark, n in marks)
            options.append((option["id"], option["title"], number, total))
        stage = "sealed" if question.sealed else "closed" if question.closed else "open"
        return cls(
            question.name,
            question.asked["title"],
            question.electorate.id,
            stage,
            count.voters,
            options,
            question.decided,
        )


@dataclass(frozen=True)
class Report:
    """All of it."""

    place: str
    statement: Statement | None
    seen: tuple[int, bytes] | None
    """Size and head of the log as an earlier audit saw it."""
    findings: Findings
    unchecked: list[str]
    numbers: Numbers
    questions: list[QuestionResult]
    recount: str
    at: str
    seconds: float

    @property
    def clean(self) -> bool:
        return not self.findings

    def document(self) -> dict[str, Any]:
        """For programs. Its fields are stable."""
        statement = self.statement
        return {
            "verdict": "clean" if self.clean else "findings",
            "log": self.place,
            "at": self.at,
            "seconds": round(self.seconds, 3),
            "checkpoint": None
            if statement is None
            else {
                "origin": statement.checkpoint.origin,
                "size": statement.checkpoint.size,
                "head": base64_of(statement.checkpoint.head),
                "signed_by": statement.signed_by,
                "cosigned_by": dict(statement.cosigned_by),
                "note": statement.note.decode("utf-8", "replace"),
            },
            "seen_before": None
            if self.seen is None
            else {"size": self.seen[0], "head": base64_of(self.seen[1])},
            "findings": [
                {
                    "kind": one.kind.value,
                    "title": one.kind.title_,
                    "position": one.position,
                    "last_position": one.last,
                    "found": one.found,
                    "expected": one.expected,
                    "file": one.file,
                }
                for one in self.findings.listed()
            ],
            "finding_counts": {kind.value: n for kind, n in self.findings.counts.items()},
            "not_checked": self.unchecked,
            "numbers": asdict(self.numbers),
            "recount": self.recount,
            "questions": [
                {
                    **one._asdict(),
                    "options": [
                        {"id": id_, "title": title, "count": count, "total": total}
                        for id_, title, count, total in one.options
                    ],
                }
                for one in self.questions
            ],
        }


def write_report(report: Report, path: Path) -> None:
    """As a page if the name ends in `.html`, else as JSON. Raises `OSError`."""
    if path.suffix.lower() in (".html", ".htm"):
        from services.audit.page import page

        content = page(report).encode()
    else:
        content = orjson.dumps(report.document(), option=orjson.OPT_INDENT_2) + b"\n"
    path.write_bytes(content)
