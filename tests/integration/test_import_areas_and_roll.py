"""`civic-ledger import areas` and `import roll` on small files, as the program."""

from pathlib import Path

from ledger.domain.areas import DefineArea
from tests.integration.importing import Ledger

DIVISIONS = """id,name,sameAs,sameAsNote,validThrough,validFrom
ocd-division/country:pl/place:town/ward:nord,Nord,,,,
ocd-division/country:pl/place:old/ward:ost,Ost,,,,
ocd-division/country:pl/place:town,Town,,,,
ocd-division/country:pl,Polska,,,,
ocd-division/country:pl/place:old,Old,,,2011,
ocd-division/country:pl/place:coming,Coming,,,,2999-01-01
ocd-division/country:pl/region:eu/place:lost,Lost,,,,
"""
ROLL = """identity,home,memberships,age,shoe size
anna,pl/place-town/ward-nord,club; choir,34,38
ben,pl/place-town,,,
"""


def areas(tmp_path: Path) -> Path:
    path = tmp_path / "country-pl.csv"
    path.write_text(DIVISIONS, encoding="utf-8")
    return path


def with_communities(ledger: Ledger) -> None:
    with ledger.opened() as (system, _):
        for name in ("club", "choir"):
            system.ledger.execute(DefineArea(area=name, name=name, kind="community"))


def test_areas_are_defined_those_above_first_and_old_ones_retired(
    ledger: Ledger, tmp_path: Path
) -> None:
    path = areas(tmp_path)
    ran = ledger.run("import", "areas", path, "--json")
    assert ran.exit_code == 1
    assert ran.errors.startswith(f"{path}:8: ")
    assert (ran.files[0]["areas"], ran.files[0]["new"]) == (5, 5)
    assert any("place:coming is left out" in note for note in ran.files[0]["notes"])
    assert [(one["area"], one["name"]) for one in ledger.of_type("area.defined")] == [
        ("pl", "Polska"),
        ("pl/place-town", "Town"),
        ("pl/place-old", "Old"),
        ("pl/place-town/ward-nord", "Nord"),
        ("pl/place-old/ward-ost", "Ost"),
    ]
    assert ledger.of_type("area.defined")[1]["ocd_id"] == "ocd-division/country:pl/place:town"
    assert [one["area"] for one in ledger.of_type("area.retired")] == ["pl/place-old"]
    entries = ledger.entries()
    again = ledger.run("import", "areas", path, "--json")
    assert (again.exit_code, again.files[0]["areas"], again.files[0]["new"]) == (1, 5, 0)
    assert again.errors == ran.errors
    assert ledger.entries() == entries


def test_a_roll_registers_people_and_their_communities(ledger: Ledger, tmp_path: Path) -> None:
    ledger.run("import", "areas", areas(tmp_path))
    with_communities(ledger)
    path = tmp_path / "roll.csv"
    path.write_text(ROLL, encoding="utf-8")
    ran = ledger.run("import", "roll", path)
    assert (ran.exit_code, ran.errors) == (0, "")
    assert "2 people counted (2 of them new)" in ran.out
    anna = ledger.answer("citizen", "--identity", "anna")
    assert (anna["home"], anna["memberships"]) == ("pl/place-town/ward-nord", ["choir", "club"])
    entries = ledger.entries()
    assert not any(
        text in str(entries) for text in ("anna", "shoe", "'34'", "38"[:0] or "shoe size")
    )
    registered = ledger.of_type("citizen.registered")
    assert sorted("private" in one for one in registered) == [False, True]
    assert ledger.run("import", "roll", path).exit_code == 0
    assert ledger.entries() == entries


def test_people_without_an_area_are_bad_rows_and_not_even_enrolled(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.run("import", "areas", areas(tmp_path))
    with_communities(ledger)
    path = tmp_path / "roll.csv"
    rows = ("x,PL/nowhere,,,", "y,club,,,", "z,pl/place-old,,,", "v,pl,nowhere,,", "w,,,,")
    path.write_text(ROLL + "\n".join(rows) + "\nanna,pl,,,\n", encoding="utf-8")
    ran = ledger.run("import", "roll", path)
    assert ran.exit_code == 1
    assert ran.errors.splitlines() == [
        f"{path}:4: There is no area 'PL/nowhere'; define it first.",
        f"{path}:5: 'club' is a community: nobody lives there; join it.",
        f"{path}:6: The area 'pl/place-old' is no longer used.",
        f"{path}:7: There is no area 'nowhere'; define it first.",
        f"{path}:8: The home is empty.",
        f"{path}:9: The identity of line 2 is here again.",
    ]
    assert len(ledger.of_type("citizen.registered")) == 2
    with ledger.opened() as (system, _):
        assert system.vault.citizen("anna") is not None
        assert system.vault.citizen("x") is None
        assert system.vault.citizen("v") is None


def test_a_later_roll_moves_people_down_but_not_elsewhere(ledger: Ledger, tmp_path: Path) -> None:
    ledger.run("import", "areas", areas(tmp_path))
    path = tmp_path / "roll.csv"
    path.write_text("identity,home\nben,pl/place-town\nanna,pl/place-town/ward-nord\n")
    assert ledger.run("import", "roll", path).exit_code == 0
    path.write_text("identity,home\nben,pl/place-town/ward-nord\nanna,pl\n")
    assert ledger.run("import", "roll", path).exit_code == 0
    assert [one["home"] for one in ledger.of_type("citizen.moved")] == ["pl/place-town/ward-nord"]
    (tmp_path / "de.csv").write_text("id,name\nocd-division/country:de,Deutschland\n")
    assert ledger.run("import", "areas", tmp_path / "de.csv").exit_code == 0
    path.write_text("identity,home\nben,de\n")
    ran = ledger.run("import", "roll", path)
    assert ran.exit_code == 1
    assert f"{path}:2: This person is registered in 'pl/place-town/ward-nord'" in ran.errors


def test_a_file_of_another_kind_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    for kind in ("areas", "roll"):
        path = tmp_path / f"{kind}.csv"
        path.write_bytes(b"a,b\n1,2\n")
        ran = ledger.run("import", kind, path)
        assert ran.exit_code == 1
        assert f"{path}, line 1: The header lacks" in ran.errors
        assert ledger.run("import", kind, tmp_path / "missing.csv").exit_code == 2
    assert ledger.head() == 0
