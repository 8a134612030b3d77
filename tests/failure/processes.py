"""Real processes, for tests of what happens when they die."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def started(module: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A process of a module of this folder, killed at the end of the block if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.failure.{module}", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def begin(processes: "Sequence[subprocess.Popen[str]]") -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("begin\n")
        process.stdin.flush()


def all_at_once(processes: "Sequence[subprocess.Popen[str]]") -> list[list[str]]:
    """Let processes that said "ready" begin together. What each of them says until it ends."""
    begin(processes)
    said = []
    for process in processes:
        assert process.stdout is not None
        said.append(process.stdout.read().splitlines())
        assert process.wait(timeout=60) == 0
    return said


def lines_until_killed(process: "subprocess.Popen[str]", number: int) -> list[str]:
    """What the process says, killed with SIGKILL once it has said so many lines."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(number)]
    process.kill()
    lines += process.stdout.readlines()
    assert process.wait() == -9
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]
