"""Reading Open Civic Data divisions."""

from itertools import product
from pathlib import Path

import pytest

from services.importers.areas_csv import area_of, read_areas
from services.importers.reading import ImportFileError

SMALL = """id,name,sameAs,sameAsNote,validThrough,validFrom
ocd-division/country:pl/state:mz/cd:płock,Płock,,,2011-10-08,
ocd-division/country:pl/state:mz,Mazowieckie,,,,
ocd-division/country:pl,Polska,,,,
ocd-division/country:pl/province:mz,Mazowieckie,ocd-division/country:pl/state:mz,again,,2019
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "country-pl.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_division_comes_after_the_one_it_lies_in(tmp_path: Path) -> None:
    found = read_areas(written(tmp_path, SMALL))
    assert found.bad_rows == ()
    assert [(d.line, d.area, d.name) for d in found.divisions] == [
        (4, "pl", "Polska"),
        (3, "pl/state-mz", "Mazowieckie"),
        (5, "pl/province-mz", "Mazowieckie"),
        (2, "pl/state-mz/cd-plock", "Płock"),
    ]
    poland, state, province, plock = found.divisions
    assert poland.parent_ocd_id is None
    assert state.parent_ocd_id == poland.ocd_id == "ocd-division/country:pl"
    assert plock.parent_ocd_id == state.ocd_id == province.same_as
    assert (plock.valid_from, plock.valid_through) == (None, "2011-10-08")
    assert (province.valid_from, province.valid_through) == ("2019", None)


def test_two_columns_are_enough(tmp_path: Path) -> None:
    (country,) = read_areas(
        written(tmp_path, "id,name\nocd-division/country:ar,Argentina\n")
    ).divisions
    assert (country.area, country.valid_from, country.same_as) == ("ar", None, None)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("ocd-division/country:pl/state:xx/cd:1,Orphan,,,,", "'ocd-division/country:pl/state:xx'"),
        ("ocd-division/region:eu/member:pl,Polska,,,,", "'ocd-division/region:eu', is not in"),
        ("ocd-division/country:pl,Polska,,,,", "on line 4 already"),
        ("ocd-division/country:pl/state:mz/cd:plock,Plock,,,,", "same area pl/state-mz/cd-plock"),
        ("ocd-division/country:pl/state:ds,,,,,", "no name"),
        ("ocd-division/country:pl/state:ds,D,,,2011-13-01,", "'2011-13-01' is not a date"),
        ("ocd-division/country:pl/state:ds,D,,,,20111009", "'20111009' is not a date"),
        ("ocd-division/country:pl/state,D,,,,", "'state' is not a type and an id"),
        ("ocd-division/country:pl/state:D S,D,,,,", "'state:D S' is not a type and an id"),
        ("ocd-division/country:pl/state:DS,D,,,,", "'state:DS' is not a type and an id"),
        ("ocd-division/country:pol,Polska,,,,", "'pol' is not the code of a country"),
        ("ocd-jurisdiction/country:pl,Polska,,,,", "does not begin with ocd-division/"),
        ("ocd-division/country:pl/state:ds,D", "2 columns, the header 6"),
    ],
)
def test_a_bad_row_stops_nothing_else(tmp_path: Path, row: str, problem: str) -> None:
    found = read_areas(written(tmp_path, SMALL + row + "\n"))
    assert len(found.divisions) == 4
    (bad,) = found.bad_rows
    assert bad.line == 6
    assert problem in bad.problem


def test_what_lies_in_an_orphan_is_one_too(tmp_path: Path) -> None:
    orphans = "ocd-division/region:eu/member:pl,Polska,,,,\n"
    orphans += "ocd-division/region:eu/member:pl/eup:1,Nr 1,,,,\n"
    assert [bad.line for bad in read_areas(written(tmp_path, SMALL + orphans)).bad_rows] == [6, 7]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="lacks id, name"):
        read_areas(written(tmp_path, "id;name\nocd-division/country:pl;Polska\n"))


@pytest.mark.parametrize(
    ("ocd_id", "area"),
    [
        ("country:pl", "pl"),
        ("country:pl/ed:1-2011", "pl/ed-1-2011"),
        ("country:pl/state:mz/cd:warszawa_ii", "pl/state-mz/cd-warszawa_ii"),
        (
            "country:at/state:salzburg/cd:flachgau~tennengau",
            "at/state-salzburg/cd-flachgau~tennengau",
        ),
        ("country:at/state:kärnten", "at/state-karnten"),
        ("country:us/a-b:c", "us/a~b-c"),
        ("region:eu", "region-eu"),
        ("country:tw/city:台北", "tw/city-~53f0~5317"),
    ],
)
def test_the_area_of_a_division(ocd_id: str, area: str) -> None:
    assert area_of(f"ocd-division/{ocd_id}") == area


def test_no_two_divisions_are_one_area() -> None:
    kinds = ["a" + "".join(rest) for n in range(3) for rest in product("a-_", repeat=n)]
    locals_ = ["".join(text) for n in (1, 2, 3) for text in product("a-~", repeat=n)]
    ends = [f"{kind}:{local}" for kind in kinds for local in locals_]
    ocd_ids = [f"ocd-division/{start}/{end}" for start in ("country:aa", "a:a") for end in ends]
    assert len({area_of(ocd_id) for ocd_id in ocd_ids}) == len(ocd_ids) == 2 * 13 * 39
