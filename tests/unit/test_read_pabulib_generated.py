"""Reading generated .pb files of every vote type, written as other programs write them."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importers.pabulib_file import read_pabulib
from services.importers.reading import ImportFileError
from tests.unit.pabulib_samples import SMALL, written

_text = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12).map(str.strip)
_id = _text.filter(lambda text: text != "" and "," not in text)
_amount = st.tuples(st.integers(0, 10**9), st.integers(0, 4), st.integers(0, 2))


def _decimal(amount: tuple[int, int, int]) -> str:
    number, places, zeros = amount
    digits = str(number).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{whole}.{fraction}{'0' * zeros}" if fraction else whole


@st.composite
def _files(draw: st.DrawFn) -> tuple[bytes, dict[str, object]]:
    vote_type = draw(st.sampled_from(["approval", "choose-1", "ordinal", "cumulative", "scoring"]))
    ids = draw(st.lists(_id, min_size=1, max_size=5, unique=True))
    names = [draw(_text) for _ in ids]
    amounts = [draw(_amount) for _ in range(len(ids) + 1)]
    voters = draw(st.lists(_id, max_size=5, unique=True))
    votes = [draw(st.lists(st.sampled_from(ids), unique=True)) for _ in voters]
    points = [[draw(st.integers(-9, 99)) for _ in vote] for vote in votes]
    ages = [draw(_text) for _ in voters]
    with_points = vote_type in ("cumulative", "scoring")
    stream = StringIO()
    writer = csv.writer(
        stream,
        delimiter=";",
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    meta = {
        "country": "Poland",
        "unit": "Town",
        "instance": "1",
        "num_projects": len(ids),
        "num_votes": len(voters),
        "budget": _decimal(amounts[-1]),
        "vote_type": vote_type,
    }
    writer.writerows([["META"], ["key", "value"], *meta.items(), ["PROJECTS"]])
    writer.writerow(["name", "project_id", "cost"])
    for name, project, amount in zip(names, ids, amounts[:-1], strict=True):
        writer.writerow([name, project, _decimal(amount)])
    writer.writerow([])
    writer.writerows([["VOTES"], ["voter_id", "age", "vote", *(["points"] * with_points)]])
    for voter, age, vote, given_points in zip(voters, ages, votes, points, strict=True):
        end = [",".join(map(str, given_points))] * with_points
        writer.writerow([voter, age, ",".join(vote), *end])
    marks: list[list[tuple[str, int | None]]] = []
    for vote, given_points in zip(votes, points, strict=True):
        if with_points:
            marks.append(list(zip(vote, given_points, strict=True)))
        elif vote_type == "ordinal":
            marks.append([(project, rank) for rank, project in enumerate(vote, 1)])
        else:
            marks.append([(project, None) for project in vote])
    model: dict[str, object] = {
        "projects": [(i, n or i) for i, n in zip(ids, names, strict=True)],
        "amounts": [number * 10 ** (4 - places) for number, places, _ in amounts],
        "ballots": list(zip(voters, map(tuple, marks), strict=True)),
        "ages": ages,
    }
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return start + stream.getvalue().encode(), model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pabulib")


@given(_files())
@settings(deadline=None)
def test_what_was_written_is_read(folder: Path, generated: tuple[bytes, dict[str, object]]) -> None:
    content, model = generated
    file = read_pabulib(written(folder, content))
    assert file.bad_rows == ()
    assert [(project.id, project.name) for project in file.projects] == model["projects"]
    assert 10_000 % file.money_scale == 0
    unit = 10_000 // file.money_scale
    costs = [*(project.cost for project in file.projects), file.budget]
    assert [cost * unit for cost in costs] == model["amounts"]
    assert [(ballot.voter_id, ballot.marks) for ballot in file.ballots] == model["ballots"]
    assert [ballot.details.get("age", "") for ballot in file.ballots] == model["ages"]


@given(st.integers(0, len(SMALL.encode()) - 1))
@settings(deadline=None)
def test_a_file_that_is_cut_off_is_refused(folder: Path, length: int) -> None:
    content = SMALL.encode()[:length]
    if content.count(b";") == SMALL.count(";"):
        assert len(read_pabulib(written(folder, content)).ballots) == 4
    else:
        with pytest.raises(ImportFileError):
            read_pabulib(written(folder, content))


@given(st.lists(st.tuples(st.integers(0, len(SMALL)), st.text(max_size=3)), max_size=4))
@settings(deadline=None)
def test_no_damage_ends_in_anything_but_a_refusal(
    folder: Path, damages: list[tuple[int, str]]
) -> None:
    text = SMALL
    for at, inserted in damages:
        text = text[:at] + inserted + text[at + 1 :]
    try:
        file = read_pabulib(written(folder, text.encode()))
    except ImportFileError:
        return
    assert len(file.projects) == file.num_projects
    assert len(file.ballots) <= file.num_votes
    ids = {project.id for project in file.projects}
    assert ids.issuperset(project for ballot in file.ballots for project, _ in ballot.marks)
