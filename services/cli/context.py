"""What all commands share: the settings with their flags, the system they open, and how they print."""

import functools
import inspect
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel, ValidationError

from services.assembly import System, assembled
from services.settings import Settings

EXIT_FINDINGS = 1
"""The command did its work and found something wrong: a refused row, a difference, no such thing."""

FLAGS = (
    "log", "replica", "store", "vault", "master_key_file", "origin", "publishable_from", "public",
)  # fmt: skip
"""The settings that every command has a flag for; `serve` has flags for its own."""


_given: ContextVar[dict[str, str]] = ContextVar("settings given as flags", default={})  # noqa: B039


def add_setting_flags(app: typer.Typer) -> None:
    """Give every command a flag for each setting in `FLAGS`; a flag wins over its variable."""
    for command in app.registered_commands:
        assert command.callback is not None
        command.callback = _with_flags(command.callback)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        add_setting_flags(group.typer_instance)


def _with_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    flags = {name: Annotated[str | None, typer.Option(help=_help(name))] for name in FLAGS}

    @functools.wraps(command)
    def with_flags(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in flags}
        _given.set({name: value for name, value in given.items() if value is not None})
        return command(*args, **kwargs)

    signature = inspect.signature(command)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=flag)
        for name, flag in flags.items()
    ]
    parameters = [*signature.parameters.values(), *added]
    with_flags.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {**command.__annotations__, **flags}
    return with_flags


def _help(name: str) -> str:
    field = Settings.model_fields[name]
    default = "" if field.default is None else f" Default: {field.default}."
    return f"{field.description} Variable: CIVIC_{name.upper()}.{default}"


def settings() -> Settings:
    """The settings of this call. Raises typer.BadParameter that names what is wrong."""
    try:
        return Settings.model_validate({**Settings().model_dump(), **_given.get()})
    except ValidationError as error:
        told = "; ".join(
            f"CIVIC_{str(one['loc'][0]).upper()}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise typer.BadParameter(told) from error


@contextmanager
def opened(*, verify: bool = False, group: str | None = None) -> Iterator[System]:
    """The system that the settings name (see `assembled`)."""
    with assembled(settings(), verify=verify, group=group) as system:
        yield system


@contextmanager
def current() -> Iterator[System]:
    """The system, with its read models caught up with the log."""
    with opened() as system:
        caught_up(system)
        yield system


def caught_up(system: System) -> None:
    """Fold what the read models have not seen, with progress on a terminal."""
    with progress("read models", unit="events") as show:
        start = system.worker.reached()
        system.worker.catch_up(lambda reached, head: show(reached - start, head - start))


def attended(system: System) -> None:
    """Bring the read models up to date, and do what follows from them (`Steward`)."""
    caught_up(system)
    if system.log.leads:  # else it is done where commands are taken
        system.steward.attend()
        caught_up(system)


def _no_bar(done: int, of: int) -> None:
    """Shows nothing."""


LINE_EVERY = 5.0
"""Seconds between two lines of progress where there is no terminal."""


def _lines(what: str, unit: str) -> Callable[[int, int], None]:
    """Shows progress as lines, with the time that is left at the pace so far."""
    started = told = time.monotonic()

    def show(done: int, of: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= LINE_EVERY and done:
            told = now
            left = (of - done) * (now - started) / done
            typer.echo(f"{what}: {done:,} of {of:,} {unit}, {left:,.0f} s left", err=True)

    return show


@contextmanager
def progress(what: str, unit: str, *, lines: bool = False) -> Iterator[Any]:
    """A bar on a terminal's standard error; elsewhere nothing, or `lines`. Yields `show(done, of)`."""
    if not sys.stderr.isatty():
        yield _lines(what, unit) if lines else _no_bar
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


def stopping() -> threading.Event:
    """Is set by SIGINT or SIGTERM."""
    ended = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    return ended


def stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stopping().wait()


def print_json(value: BaseModel | dict[str, Any] | list[Any]) -> None:
    """One JSON document on standard output."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")
