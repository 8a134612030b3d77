"""Documentation fails the build when it lies."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ledger.domain.catalogue import EVENT_BY_TYPE
from services.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_the_generated_pages_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_catalogue_names_every_event_and_the_settings_page_every_setting() -> None:
    events, settings = (ROOT / "docs" / name for name in ("events.md", "settings.md"))
    assert set(re.findall(r"### `(civic\.[^`]+)`", events.read_text())) == set(EVENT_BY_TYPE)
    named = set(re.findall(r"`CIVIC_([A-Z_]+)` \|", settings.read_text()))
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_make_targets_and_commands_that_the_readme_names_exist() -> None:
    readme, makefile = (ROOT / name for name in ("README.md", "Makefile"))
    targets = set(re.findall(r"^([a-z]+):", makefile.read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", readme.read_text())) <= targets
    named = r"civic-ledger ([a-z]+(?: (?:polis|pabulib|areas|roll|tallies))?)"
    for command in set(re.findall(named, readme.read_text())):
        done = _civic_ledger(*command.split(), "--help")
        assert done.returncode == 0, command


def test_the_wheel_holds_our_three_packages_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("civic_participation_ledger-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"ledger", "projections", "services"}
    inside = {path.relative_to(ROOT).as_posix() for path in _data_files()}
    assert inside <= set(names), "files that the packages read must be in the wheel"


def _data_files() -> list[Path]:
    return [
        path
        for package in ("ledger", "projections", "services")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".sql", ".html", ".css", ".svg"}
    ]


def _civic_ledger(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from services.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
