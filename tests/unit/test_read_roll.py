"""Reading a roll of citizens."""

from pathlib import Path

import pytest

from services.importers.reading import BadRow, ImportFileError
from services.importers.roll_csv import RollRow, read_roll

SMALL = """identity,home,memberships,born
"Kowalska, Anna",pl/town/north,pl/school; pl/choir,1980
jan,pl/town,,
"""


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "roll.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_every_part_of_a_row(tmp_path: Path) -> None:
    assert list(read_roll(written(tmp_path, "\ufeff" + SMALL))) == [
        RollRow(
            2,
            "Kowalska, Anna",
            "pl/town/north",
            ("pl/school", "pl/choir"),
            {"born": "1980"},
        ),
        RollRow(3, "jan", "pl/town", (), {}),
    ]


def test_two_columns_in_any_order_are_enough(tmp_path: Path) -> None:
    text = "Home,Identity\r\npl/town,jan\r\n\r\n"
    assert list(read_roll(written(tmp_path, text))) == [RollRow(2, "jan", "pl/town", (), {})]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("eva,pl/town", "The row has 2 columns, the header 4."),
        (",pl/town,,", "The identity is empty."),
        ("eva, ,,", "The home is empty."),
        ("jan,pl/town,,", "The identity of line 3 is here again."),
        ("eva,pl/town,a;;b,", "A membership between two separators is empty."),
        ("eva,pl/town,a;b;a,", "A membership is named twice."),
        ('"eva"!,pl/town,,', "The row cannot be read: ',' expected after '\"'."),
    ],
)
def test_a_bad_row_stops_nothing_else_and_names_nobody(
    tmp_path: Path, row: str, problem: str
) -> None:
    path = written(tmp_path, f"{SMALL}{row}\nlast,pl/town,,\n")
    _, _, bad, last = read_roll(path)
    assert bad == BadRow(path, 4, problem)
    assert isinstance(last, RollRow)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("identity,place\n", "lacks home"),
        ("identity;home\n", "lacks identity, home"),
        ("", "empty"),
        (SMALL + "eva,pl/town", "line 4: The last row has 2 columns, the header 4"),
        (SMALL + '"eva,pl/town,,\nlast,pl/town,,\n', "line 5: .*unexpected end of data"),
        (SMALL.encode() + b"\xff,pl/town,,\n", "Byte 101 is not UTF-8"),
    ],
)
def test_a_damaged_file_is_refused_before_its_first_row(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    with pytest.raises(ImportFileError, match=problem):
        read_roll(written(tmp_path, content))
