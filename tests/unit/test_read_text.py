"""The pieces that all readers share: numbers, text, rows, and the names of areas."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importers.area_paths import area_path, country_code, slug
from services.importers.reading import (
    LARGEST,
    BadRow,
    ExactDecimal,
    ImportFileError,
    exact_decimal,
    open_table,
    rows,
    text_lines,
    whole_number,
)

NOT_NUMBERS = [
    "",
    " 5",
    "5 ",
    "+5",
    "05",
    "1_0",
    "--1",
    "0x1",
    "1e3",
    "1e999999999",
    "1,5",
    "NaN",
    "Infinity",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{SUPERSCRIPT TWO}",
    "five",
]


@pytest.mark.parametrize("text", [*NOT_NUMBERS, "1.0", "-0"])
def test_a_whole_number_is_written_in_one_way(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        whole_number(text)


@pytest.mark.parametrize("text", [*NOT_NUMBERS, ".5", "5.", "1.2.3", "0" * 200])
def test_a_decimal_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(ValueError, match="is not a decimal number"):
        exact_decimal(text)


def test_numbers_that_no_record_could_hold_are_too_large() -> None:
    assert whole_number(str(-LARGEST)) == -LARGEST
    assert exact_decimal(f"{LARGEST}.00") == ExactDecimal(LARGEST, 0)
    for text in (str(LARGEST + 1), str(-LARGEST - 1)):
        with pytest.raises(ValueError, match="is too large"):
            whole_number(text)
    with pytest.raises(ValueError, match="is too large"):
        exact_decimal(f"{LARGEST}.01")
    with pytest.raises(ValueError, match="is not a whole number"):
        whole_number("9" * 10_000)


@given(st.text(max_size=6) | st.from_regex(r"[-+]?[0-9_. ]{1,6}", fullmatch=True))
def test_what_is_accepted_comes_back_as_the_same_text(text: str) -> None:
    try:
        assert str(whole_number(text)) == text
    except ValueError:
        assert not re.fullmatch(r"0|-?[1-9][0-9]*", text)
    try:
        decimal = exact_decimal(text)
    except ValueError:
        assert not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", text)
    else:
        assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", text)
        assert decimal.digits / 10**decimal.places == float(text)


@given(st.integers(-(10**12), 10**12), st.integers(0, 8), st.integers(0, 8))
def test_scaling_rounds_half_to_even(digits: int, places: int, wanted: int) -> None:
    scaled = ExactDecimal(digits, places).scaled(wanted)
    if wanted >= places:
        assert scaled == digits * 10 ** (wanted - places)
    else:
        divisor = 10 ** (places - wanted)
        assert 2 * abs(scaled * divisor - digits) <= divisor
        assert 2 * abs(scaled * divisor - digits) < divisor or scaled % 2 == 0


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"a,b\nc,\xff\n", 2, "Byte 6 is not UTF-8."),
        ("a,b\r\nc,ż\r\n".encode() + b"\xc5", 3, "Byte 11 is not UTF-8."),
        (b"\xef\xbb\xbfa\n\xc5\xbcb\xc5\n", 2, "Byte 8 is not UTF-8."),
        (b"a,b\n\n1\x00,2\n", 3, "Byte 6 is NUL: this is not text."),
    ],
)
def test_bytes_that_are_no_text_are_named_by_offset_and_line(
    tmp_path: Path, content: bytes, line: int, problem: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ImportFileError) as refusal:
        text_lines(path)
    assert (refusal.value.line, refusal.value.problem) == (line, problem)


def test_rows_have_the_line_numbers_of_the_file() -> None:
    path = Path("a.csv")
    lines = [
        "id,name\r\n",
        "\r\n",
        '1,"two\r\n',
        'lines"\r\n',
        '"2"x,bad\r\n',
        " , \r\n",
        "3,c\r\n",
    ]
    assert list(rows(path, lines)) == [
        (1, ["id", "name"]),
        (4, ["1", "two\r\nlines"]),
        BadRow(path, 5, "The row cannot be read: ',' expected after '\"'."),
        (7, ["3", "c"]),
    ]


def test_a_quote_that_is_never_closed_hides_rows() -> None:
    lines = ["id,name\n", '1,"two\n', "2,c\n"]
    found = rows(Path("a.csv"), lines)
    assert next(found) == (1, ["id", "name"])
    with pytest.raises(ImportFileError, match=r"a\.csv, line 3: .*unexpected end of data"):
        next(found)
    with pytest.raises(ImportFileError, match="larger than field limit"):
        list(rows(Path("a.csv"), ['1,"two\n', *["2,c\n"] * 40_000, '3,"d"\n']))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", None, "empty"),
        ("\n\n", None, "empty"),
        ("id;name\n1;a\n", 1, "lacks name, id; it has 'id;name'"),
        ("name,id,id\n", 1, "twice: 'id'"),
        ('"name"x,id\n', 1, "cannot be read"),
        ("name,id\na,1\nb", 3, "The last row has 1 columns, the header 2, and no end"),
        ('name,id\n"a,1\nb,2\n', 3, "unexpected end of data"),
    ],
)
def test_a_table_needs_its_header_and_its_end(
    tmp_path: Path, text: str, line: int | None, problem: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ImportFileError, match=re.escape(problem)) as refusal:
        open_table(path, ("name", "id"))
    assert refusal.value.line == line


def test_a_table_needs_no_line_break_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,id\nb\na,1")
    table = open_table(path, ("name", "id"))
    assert list(table.rows) == [
        BadRow(path, 2, "The row has 1 columns, the header 2."),
        (3, ["a", "1"]),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Wola", "wola"),
        ("Bródno-Podgrodzie, Zacisze", "brodno-podgrodzie-zacisze"),
        ("Żoliborz / Łęgi", "zoliborz-legi"),
        ("9 - Stare Miasto", "9-stare-miasto"),
        ("VIII Józsefváros", "viii-jozsefvaros"),
        ("Straße Ærø", "strasse-aero"),
        ("№ 7", "no-7"),
    ],
)
def test_a_slug_is_plain(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_names_that_have_no_latin_form_stay_apart() -> None:
    names = ["Київ", "Львів", "Район 1", "Округ 1", "台北", "!", "?"]
    assert len({slug(name) for name in names}) == len(names)


@given(st.text(min_size=1))
def test_a_slug_is_a_legal_part_of_an_area_id(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(name))


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("Poland", "pl"),
        ("Netherlands", "nl"),
        ("France", "fr"),
        ("Switzerland", "ch"),
        ("Hungary", "hu"),
        ("United States", "us"),
        ("PL", "pl"),
        ("Worldwide", "worldwide"),
        ("Artificial", "artificial"),
    ],
)
def test_countries_go_by_their_code(country: str, code: str) -> None:
    assert country_code(country) == code


@pytest.mark.parametrize(
    ("city", "district", "subunit", "path", "levels"),
    [
        ("Warszawa", None, None, "pl/warszawa", "country city"),
        ("Warszawa", "Wola", "Wola", "pl/warszawa/wola", "country city district"),
        (
            "Warszawa",
            "Wola",
            "Koło, Ulrychów",
            "pl/warszawa/wola/kolo-ulrychow",
            "country city district sub-district",
        ),
        ("Toulouse", None, "6 - Cyprien", "pl/toulouse/6-cyprien", "country city district"),
        ("Amsterdam", "Nieuw-West", None, "pl/amsterdam/nieuw-west", "country city district"),
        ("Gdynia", "Cisowa", "Cisowa | large", "pl/gdynia/cisowa", "country city district"),
        (
            "Poznań",
            "9 - Stare Miasto",
            "9 - Stare Miasto | small",
            "pl/poznan/9-stare-miasto",
            "country city district",
        ),
        ("Zabrze", "ZABRZE", None, "pl/zabrze", "country city"),
    ],
)
def test_areas_from_the_country_down(
    city: str, district: str | None, subunit: str | None, path: str, levels: str
) -> None:
    found = area_path("Poland", city, district, subunit)
    assert found[-1].area == path
    assert " ".join(area.level for area in found) == levels
    for above, below in pairwise(found):
        assert below.area.startswith(f"{above.area}/")
