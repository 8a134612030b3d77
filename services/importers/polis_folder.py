"""Reads the export of one Polis conversation (https://compdemocracy.org/export): a folder of CSV.

`votes.csv` and `comments.csv` must be there; `summary.csv` and the final matrix may be: that is
`participants-votes.csv`, or `participant-votes.csv` where the server itself named it. A timestamp
is in milliseconds; newer servers export seconds, and those become milliseconds here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.importers.reading import (
    BadRow,
    Row,
    Table,
    open_table,
    quoted,
    rows,
    text_lines,
    whole_number,
)

AGREE, PASS, DISAGREE = 1, 0, -1
_MATRIX_NAMES = ("participants-votes.csv", "participant-votes.csv")
_FIRST_MILLISECONDS = 10**11
"""Less than this cannot be milliseconds, for it would be before 1973."""

_MARKS = {"1": AGREE, "0": PASS, "-1": DISAGREE}


@dataclass(frozen=True, slots=True)
class Statement:
    """What people agree with or not. All but the id is None when `comments.csv` does not have it.

    `moderated` is 1 (accepted), 0 (not judged) or -1 (rejected); it may have votes all the same.
    """

    id: str
    body: str | None
    moderated: int | None
    author_id: str | None
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote as it was cast: 1 to agree, -1 to disagree, 0 to pass."""

    line: int
    voter_id: str
    statement_id: str
    mark: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class PolisConversation:
    """A whole conversation.

    `votes` are in time order, those of one millisecond in file order. A vote that only repeats what
    the same voter said last of the same statement is left out; `repeats` is how many there were.
    `expected` is the final matrix by (participant, statement), None without the file: a pass is 0,
    a cell that is blank is absent.
    """

    path: Path
    name: str
    topic: str
    url: str | None
    description: str | None
    statements: tuple[Statement, ...]
    votes: tuple[Vote, ...]
    repeats: int
    participants: tuple[str, ...]
    expected: Mapping[tuple[str, str], int] | None
    bad_rows: tuple[BadRow, ...]


def read_polis(folder: Path) -> PolisConversation:
    """Read a conversation. Raises ImportFileError when one of its files is damaged."""
    bad: list[BadRow] = []
    name = folder.resolve().name
    summary = _summary(folder / "summary.csv", bad)
    statements = _statements(folder / "comments.csv", bad)
    cast = sorted(_votes(folder / "votes.csv", bad), key=lambda vote: vote.timestamp_ms)
    participants: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    expected = None
    for matrix in filter(Path.exists, (folder / name for name in _MATRIX_NAMES)):
        participants, columns, expected = _matrix(matrix, bad)
        break
    for statement_id in (*(vote.statement_id for vote in cast), *columns):
        statements.setdefault(statement_id, Statement(statement_id, None, None, None, None))
    votes = _without_repeats(cast)
    return PolisConversation(
        path=folder,
        name=name,
        topic=summary.get("topic") or name,
        url=summary.get("url") or None,
        description=summary.get("conversation-description") or None,
        statements=tuple(sorted(statements.values(), key=lambda statement: int(statement.id))),
        votes=votes,
        repeats=len(cast) - len(votes),
        participants=participants,
        expected=expected,
        bad_rows=tuple(bad),
    )


def _summary(path: Path, bad: list[BadRow]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not path.exists():
        return found
    for row in rows(path, text_lines(path)):
        if isinstance(row, BadRow):
            bad.append(row)
        elif len(row[1]) != 2 or row[1][0] in found:
            bad.append(BadRow(path, row[0], "The row is not one key, new here, and its value."))
        else:
            found[row[1][0]] = row[1][1].strip()
    return found


def _good_rows(table: Table, bad: list[BadRow]) -> Iterator[Row]:
    for row in table.rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            yield row


def _is_id(text: str) -> bool:
    """Whether the text is an id as Polis gives them: 0, 1, 2… in digits."""
    try:
        return whole_number(text) >= 0
    except ValueError:
        return False


def _id(name: str, text: str) -> str:
    """An id. Raises ValueError, and does not quote what may be somebody's name."""
    if not _is_id(text):
        raise ValueError(f"{name}: it is not a whole number from 0")
    return text


def _milliseconds(text: str) -> int:
    number = whole_number(text)
    if number < 0:
        raise ValueError(f"timestamp: {quoted(text)} is negative")
    return number if number >= _FIRST_MILLISECONDS else number * 1000


def _mark(name: str, text: str) -> int:
    if text not in _MARKS:
        raise ValueError(f"{name}: {quoted(text)} is not 1, 0 or -1")
    return _MARKS[text]


def _statements(path: Path, bad: list[BadRow]) -> dict[str, Statement]:
    needed = ("timestamp", "comment-id", "author-id", "moderated", "comment-body")
    table = open_table(path, needed)
    time_at, id_at, author_at, moderated_at, body_at = (table.columns[name] for name in needed)
    found: dict[str, Statement] = {}
    for line, cells in _good_rows(table, bad):
        try:
            statement = Statement(
                id=_id("comment-id", cells[id_at]),
                body=cells[body_at],
                moderated=_mark("moderated", cells[moderated_at]),
                author_id=_id("author-id", cells[author_at]),
                timestamp_ms=_milliseconds(cells[time_at]),
            )
            if statement.id in found:
                raise ValueError(f"The statement {statement.id} is there already")
            if not cells[body_at].strip():
                raise ValueError(f"The statement {statement.id} is empty")
        except ValueError as error:
            bad.append(BadRow(path, line, f"{error}."))
            continue
        found[statement.id] = statement
    return found


def _votes(path: Path, bad: list[BadRow]) -> list[Vote]:
    needed = ("timestamp", "comment-id", "voter-id", "vote")
    table = open_table(path, needed)
    time_at, statement_at, voter_at, mark_at = (table.columns[name] for name in needed)
    found = []
    for line, cells in _good_rows(table, bad):
        try:
            vote = Vote(
                line=line,
                voter_id=_id("voter-id", cells[voter_at]),
                statement_id=_id("comment-id", cells[statement_at]),
                mark=_mark("vote", cells[mark_at]),
                timestamp_ms=_milliseconds(cells[time_at]),
            )
        except ValueError as error:
            bad.append(BadRow(path, line, f"{error}."))
            continue
        found.append(vote)
    return found


def _without_repeats(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    last: dict[tuple[str, str], int] = {}
    kept = []
    for vote in votes:
        key = (vote.voter_id, vote.statement_id)
        if last.get(key) != vote.mark:
            last[key] = vote.mark
            kept.append(vote)
    return tuple(kept)


def _matrix(
    path: Path, bad: list[BadRow]
) -> tuple[tuple[str, ...], tuple[str, ...], dict[tuple[str, str], int]]:
    """The participants, the statements that have a column, and the marks of the filled cells."""
    table = open_table(path, ("participant",))
    participant_at = table.columns["participant"]
    statements = [(name, at) for name, at in table.columns.items() if _is_id(name)]
    participants: dict[str, int] = {}
    marks: dict[tuple[str, str], int] = {}
    for line, cells in _good_rows(table, bad):
        try:
            participant = _id("participant", cells[participant_at])
            if participant in participants:
                raise ValueError(
                    f"The participant of line {participants[participant]} is here again"
                )
        except ValueError as error:
            bad.append(BadRow(path, line, f"{error}."))
            continue
        participants[participant] = line
        for statement, at in statements:
            if cells[at]:
                try:
                    marks[participant, statement] = _mark(f"statement {statement}", cells[at])
                except ValueError as error:
                    bad.append(BadRow(path, line, f"{error}."))
    return tuple(participants), tuple(name for name, _ in statements), marks
