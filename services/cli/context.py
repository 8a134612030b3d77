"""What all commands share: the settings with their flags, the system they open, and how they print."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import BaseModel, ValidationError

from services.assembly import System, assembled
from services.settings import Settings

_OVERRIDES = "civic-ledger settings"

EXIT_FINDINGS = 1
"""The command did its work and found something wrong: a refused row, a difference, no such thing."""

EXIT_USAGE = 2
"""The command was called wrongly (as click has it)."""

FLAGS = ("log", "store", "vault", "master_key_file", "origin", "publishable_from")
"""The settings that every command has a flag for; `serve` has flags for its own."""


def add_setting_flags(command: click.Command, names: tuple[str, ...] = FLAGS) -> None:
    """Give a command, and all below it, a flag for each setting; a flag wins over its variable."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            add_setting_flags(below, names)
        return
    for name in names:
        field = Settings.model_fields[name]
        command.params.append(
            click.Option(
                [f"--{name.replace('_', '-')}"],
                expose_value=False,
                callback=_remember,
                help=f"{field.description} [variable: CIVIC_{name.upper()}; default: {_shown(field.default)}]",
            )
        )


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value is not None and option.name is not None:
        context.find_root().meta.setdefault(_OVERRIDES, {})[option.name] = value


def _shown(default: object) -> str:
    return "none" if default is None else str(default)


def settings() -> Settings:
    """The settings of this call. Raises click.UsageError that names what is wrong."""
    overrides = click.get_current_context().find_root().meta.get(_OVERRIDES, {})
    try:
        return Settings(**overrides)
    except ValidationError as error:
        told = "; ".join(
            f"CIVIC_{str(one['loc'][0]).upper()}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise click.UsageError(told) from error


@contextmanager
def opened(*, verify: bool = False) -> Iterator[System]:
    """The system that the settings name."""
    with assembled(settings(), verify=verify) as system:
        yield system


@contextmanager
def current() -> Iterator[System]:
    """The system, with its read models caught up with the log."""
    with opened() as system:
        caught_up(system)
        yield system


def caught_up(system: System) -> None:
    """Fold what the read models have not seen, and do what follows from it, with progress on a terminal."""
    with progress("read models", unit="events") as show:
        start = min(system.worker.positions.values())
        system.worker.catch_up(lambda reached, head: show(reached - start, head - start))
    before = system.log.head()
    system.steward.attend()
    if system.log.head() != before:
        system.worker.catch_up()


@contextmanager
def progress(what: str, unit: str) -> Iterator[Any]:
    """A bar on a terminal's standard error, nothing elsewhere. Yields `show(done, of)`."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def print_json(value: BaseModel | dict[str, Any] | list[Any]) -> None:
    """One JSON document on standard output."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def existing(path: Path) -> Path:
    """Raises click.UsageError for a path that is not there."""
    if not path.exists():
        raise click.UsageError(f"{path}: there is no such file or folder")
    return path
