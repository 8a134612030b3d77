"""`civic-ledger audit`, as a program: exit codes, reports, and a page for anybody."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ledger.transparency.checkpoint import parse_checkpoint
from ledger.transparency.keys import SignatureType, SigningKey
from ledger.transparency.note import parse_note
from tests.audit.auditing import KEY, another, encoded, events, folder_of, honest, of_type, place
from tests.audit.trees import write, write_tree

ROOT = Path(__file__).parents[2]
PROGRAM = "from services.cli.main import main; main()"
VKEY = ("--vkey", KEY.verifier.vkey)
SECOND = place(events(), "choice.made", question="budget") + 2
"""Where the second standing choice of `wrong` stands."""


class Ran(NamedTuple):
    exit_code: int
    out: str
    errors: str


def audit(*arguments: object, program: str = PROGRAM) -> Ran:
    done = subprocess.run(
        [sys.executable, "-c", program, "audit", *map(str, arguments)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("log"), honest())


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with a second standing choice, a wrong decision, and a title that tries to be a page of its own."""
    some = events()
    at = place(some, "choice.made", question="budget")
    some.insert(at + 1, another(some[at]))
    decision = place(some, "decision.recorded", question="budget")
    some[decision]["data"]["adopted"] = ["z", "<script>alert(1)</script>"]
    opened = place(some, "question.opened", question="scored")
    some[opened]["data"]["title"] = "<script>alert(2)</script>"
    return folder_of(tmp_path_factory.mktemp("wrong"), encoded(some))


def test_nothing_wrong(log: Path) -> None:
    ran = audit(log, *VKEY)
    assert (ran.exit_code, ran.errors) == (0, "")
    assert "nothing wrong was found" in ran.out.splitlines()[-1]
    assert "not checked: " in ran.out


def test_findings(wrong: Path) -> None:
    ran = audit(wrong, *VKEY)
    assert ran.exit_code == 1
    assert re.search(
        rf"^position {SECOND}: A voter has a second standing choice.*\[second-choice\]$",
        ran.out,
        re.M,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--vkey", "nonsense"),
        ("--vkey", SigningKey("w", bytes(32), SignatureType.COSIGNATURE).verifier.vkey),
        ("--workers", "0"),
        ("--recount", "by-hand"),
        ("--policy", "no-such-file"),
        ("--nothing",),
    ],
)
def test_not_asked_properly(log: Path, arguments: tuple[str, ...]) -> None:
    ran = audit(*((log, *arguments) if arguments else ()))
    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.errors


def test_cannot_be_read(log: Path, tmp_path: Path) -> None:
    for place_ in (tmp_path, tmp_path / "none", "http://127.0.0.1:1/"):
        assert audit(place_).exit_code == 3
    assert audit(log, "--published", tmp_path).exit_code == 3
    damaged = write(tmp_path / "state", b"not a database, and long enough to be sure of it" * 100)
    ran = audit(log, "--state", damaged)
    assert ran.exit_code == 3
    assert "state file" in ran.errors
    assert audit(log, "--report", tmp_path / "no/such/folder.json").exit_code == 3


def test_it_needs_nothing_of_the_ledgers_own(log: Path) -> None:
    """Neither settings nor a log, a store or a vault: it would not find them here."""
    before = set(ROOT.glob("var/*"))
    assert audit(log, *VKEY).exit_code == 0
    assert set(ROOT.glob("var/*")) == before
    assert "--log" not in audit("--help").out


def test_what_it_imports_is_not_what_writes_the_ledger(log: Path) -> None:
    program = (
        "import sys; from services.audit.run import Options, audit;"
        f"assert audit(Options({str(log)!r}, recount='python')).clean;"
        "mine = [m for m in sys.modules if m.split('.')[0] in ('ledger', 'projections', 'services')];"
        "print('\\n'.join(mine))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    allowed = r"ledger(\.transparency.*|\.domain|\.domain\.counting.*|\.domain\.methods)?|services(\.audit.*)?"
    strange = [name for name in done.stdout.split() if not re.fullmatch(allowed, name)]
    assert strange == []


def test_the_report_as_data(wrong: Path, tmp_path: Path) -> None:
    assert audit(wrong, *VKEY, "--report", tmp_path / "report.json").exit_code == 1
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["verdict"] == "findings"
    kinds = {(one["kind"], one["position"]) for one in report["findings"]}
    assert ("second-choice", SECOND) in kinds
    assert report["finding_counts"]["second-choice"] == 1
    checkpoint = parse_checkpoint(parse_note(report["checkpoint"]["note"].encode()).text)
    assert checkpoint.size == report["numbers"]["entries"] == len(honest()) + 1
    assert report["checkpoint"]["signed_by"] == KEY.verifier.name


def test_no_report_names_a_person_or_a_voter(wrong: Path, tmp_path: Path) -> None:
    names = {
        one["data"][field]
        for one in events()
        for field in ("person", "voter", "holder", "requester")
        if field in one["data"]
    }
    assert len(names) > 50
    for name in ("report.json", "report.html"):
        ran = audit(wrong, *VKEY, "--report", tmp_path / name)
        text = (tmp_path / name).read_text() + ran.out
        assert not {one for one in names if one in text}


def test_cosignatures_by_a_policy(log: Path, tmp_path: Path) -> None:
    witnesses = [
        SigningKey(f"witness.example/{n}", bytes([n] * 32), SignatureType.COSIGNATURE)
        for n in (1, 2)
    ]
    lines = [f"log {KEY.verifier.vkey}"]
    lines += [f"witness w{n} {one.verifier.vkey}" for n, one in enumerate(witnesses)]
    policy = write(
        tmp_path / "policy", "\n".join([*lines, "group all all w0 w1", "quorum all", ""]).encode()
    )
    assert audit(log, "--policy", policy).exit_code == 1
    cosigned = shutil.copytree(log, tmp_path / "log")
    note = parse_note((log / "checkpoint").read_bytes())
    for one in witnesses:
        note = note.signed_too(one.cosign(note.text, 1_700_000_000))
    write(cosigned / "checkpoint", note.encode())
    assert audit(cosigned, "--policy", policy, "--report", tmp_path / "r.json").exit_code == 0
    report = json.loads((tmp_path / "r.json").read_bytes())
    assert report["checkpoint"]["cosigned_by"] == {
        f"witness.example/{n}": "2023-11-14T22:13:20+00:00" for n in (1, 2)
    }


def test_without_a_key_it_says_that_nobody_is_known_to_have_signed(log: Path) -> None:
    ran = audit(log)
    assert ran.exit_code == 0
    assert "not checked: Who signed the checkpoint" in ran.out


def test_a_state_file_is_kept_and_used(log: Path, tmp_path: Path) -> None:
    state = ("--state", tmp_path / "state")
    assert "(135 new)" in audit(log, *VKEY, *state).out
    assert "(0 new)" in audit(log, *VKEY, *state).out


def test_a_new_key_is_trusted_if_the_old_one_named_it(log: Path, tmp_path: Path) -> None:
    """The rotation is recorded while the old key still signs, and is found right; later the new one signs alone."""
    new = SigningKey(KEY.verifier.name, bytes(range(1, 33)))
    some = events()
    data = {"previous": KEY.verifier.vkey, "vkey": new.verifier.vkey}
    some.append(of_type("key.rotated", "ledger/checkpoint-key", some[-1], data))
    rotated = encoded(some)
    state = ("--state", tmp_path / "state")
    assert audit(folder_of(tmp_path / "old", rotated), *VKEY, *state).exit_code == 0
    write_tree(tmp_path / "new", rotated, new)
    assert audit(tmp_path / "new", *VKEY, *state).exit_code == 0
    assert audit(tmp_path / "new", *VKEY).exit_code == 1


@pytest.mark.parametrize("recount", ["python", "duckdb"])
def test_processes_and_duckdb(log: Path, recount: str) -> None:
    if recount == "duckdb":
        pytest.importorskip("duckdb")
    assert audit(log, *VKEY, "--workers", 2, "--recount", recount).exit_code == 0


def test_without_duckdb_it_says_what_to_install(log: Path) -> None:
    program = "import sys; sys.modules['duckdb'] = None; " + PROGRAM
    ran = audit(log, "--recount", "duckdb", program=program)
    assert ran.exit_code == 2
    assert "[audit]" in ran.errors


# The page


@pytest.fixture(scope="module")
def pages(log: Path, wrong: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, place_ in (("clean", log), ("wrong", wrong)):
        audit(place_, *VKEY, "--report", folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in ("clean", "wrong")}


def test_the_page_needs_no_other_file_and_runs_nothing(pages: dict[str, Path]) -> None:
    for path in pages.values():
        text = path.read_text()
        assert "<script" not in text
        assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', text)
        assert "url(" not in text
        assert "@import" not in text


def test_the_page_says_first_what_was_found(pages: dict[str, Path]) -> None:
    clean, wrong = (pages[name].read_text() for name in ("clean", "wrong"))
    assert "Nothing wrong was found." in clean
    assert "A voter has a second standing choice" in wrong
    assert "&lt;script&gt;alert(2)" in wrong
    assert (
        wrong.index("What was found")
        < wrong.index("What was checked")
        < wrong.index("What was not")
    )
    assert "What was found" not in clean


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light")])
@pytest.mark.parametrize("name", ["clean", "wrong"])
def test_the_page_is_accessible(
    chromium: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(pages[name].as_uri())
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    assert complaints == []
    page.close()
