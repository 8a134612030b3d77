"""What an import tells: one report a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.importers.reading import BadRow, ImportFileError


@dataclass(frozen=True, slots=True)
class Mention:
    """A ballot that names a project more often than counts: that is once, or never without points."""

    line: int
    voter_id: str
    project: str
    times: int
    counted: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that the file publishes and the read models count otherwise.

    `explained`: what the file itself holds accounts for it; `ballots` are those that do.
    """

    what: str
    published: Any
    counted: Any
    explained: bool
    why: str
    ballots: Sequence[Mention] = ()


@dataclass(slots=True)
class FileReport:
    """What became of one file (or folder). `unit` says what its rows are.

    `counted` rows are in the ledger now, `new` ones since this call; `repeats` say something again.
    `refused` says why nothing of the file was used; `undecided`, why a decision that was due could
    not be recorded.
    """

    path: Path
    unit: str
    questions: list[str] = field(default_factory=list)
    counted: int = 0
    new: int = 0
    repeats: int = 0
    voters: int | None = None
    refused: str | None = None
    undecided: str | None = None
    decision: dict[str, Any] | None = None
    checked: bool = False
    bad_rows: list[BadRow] = field(default_factory=list)
    repeated: list[Mention] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, error: ImportFileError) -> None:
        self.refused = str(error)

    def bad(self, line: int, problem: str, path: Path | None = None) -> None:
        self.bad_rows.append(BadRow(path or self.path, line, problem))

    @property
    def faultless(self) -> bool:
        """Whether everything was used, and nothing that was compared differs without a reason."""
        unexplained = any(not one.explained for one in self.differences)
        return not (self.refused or self.undecided or self.bad_rows or unexplained)

    def problems(self) -> Iterator[str]:
        """A line each: `file:line: reason`, or the file and why it was refused."""
        if self.refused:
            yield self.refused
        for row in self._sorted():
            yield f"{row.path}:{row.line}: {row.problem}"
        if self.undecided:
            yield f"{self.path}: {self.undecided}"

    def _sorted(self) -> list[BadRow]:
        return sorted(self.bad_rows, key=lambda row: (row.path, row.line))

    def document(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "file": str(self.path),
            "question": self.questions[0] if len(self.questions) == 1 else None,
            "questions": self.questions,
            self.unit: self.counted,
            "new": self.new,
            "repeats": self.repeats,
            "voters": self.voters,
            "refused": self.refused,
            "undecided": self.undecided,
            "decision": self.decision,
            "checked": self.checked,
            "bad_rows": [
                {"file": str(row.path), "line": row.line, "reason": row.problem}
                for row in self._sorted()
            ],
            "repeated": [_mention(one) for one in self.repeated],
            "differences": [
                {
                    "what": one.what,
                    "published": one.published,
                    "counted": one.counted,
                    "explained": one.explained,
                    "why": one.why,
                    "ballots": [_mention(ballot) for ballot in one.ballots],
                }
                for one in self.differences
            ],
            "notes": self.notes,
        }


def _mention(one: Mention) -> dict[str, Any]:
    return {
        "line": one.line,
        "voter_id": one.voter_id,
        "project": one.project,
        "times": one.times,
        "counted": one.counted,
    }
