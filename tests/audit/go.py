"""The verifier in `verify/`, which is written in Go over other people's libraries."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.missing import missing

SOURCE = Path(__file__).parent / "verify"


def go() -> str:
    """A Go that is new enough for the verifier, as `deploy/install-go` looks for it."""
    beside_python = shutil.which("go", path=str(Path(sys.executable).parent))
    candidates = (beside_python, shutil.which("go"), shutil.which("/usr/local/go/bin/go"))
    found = next((one for one in candidates if one and _runs(one, "list", "-m")), None)
    if found is None:
        missing("there is no Go that can build tests/audit/verify: deploy/install-go PYTHON")
    return found


def _runs(*command: str) -> bool:
    return subprocess.run(command, cwd=SOURCE, capture_output=True, check=False).returncode == 0


def build(folder: Path) -> Path:
    """The program, built into the folder. Go's own cache makes all but the first build quick."""
    program = folder / "verify"
    built = subprocess.run(
        [go(), "build", "-buildvcs=false", "-trimpath", "-o", str(program), "."],
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return program


def verdict(program: Path, *arguments: object) -> dict[str, Any]:
    """What it says of the files. It must say so by its exit code too."""
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode in (0, 1), done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["ok"] is (done.returncode == 0)
    return said
