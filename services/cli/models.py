"""The commands for the read models: project, rebuild, digest, status."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ledger.eventlog.port import EventLog
from projections.catalogue import all_projections
from projections.digest import Digest, digest
from projections.projection import Projection
from projections.queries import NotFound
from projections.replay import as_it_stood, rebuilt
from projections.stores.port import Store
from projections.worker import Progress, Worker
from services.assembly import log_and_store
from services.cli.context import attended, opened, print_json, progress, settings, stopped
from services.logs import write_logs
from services.status import status_of, written
from services.upkeep import Upkeep

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_NAMES = ", ".join(one.name for one in all_projections())


def add_commands(app: typer.Typer) -> None:
    for command in (project, rebuild):
        app.command()(command)
    app.command(name="digest")(digests)
    app.command(name="status")(statuses)


def project(
    once: Annotated[bool, typer.Option("--once", help="Catch up with the log, then exit.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Follow the log until stopped, which is the default.")
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this read model ({_NAMES}); may be given several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep the read models up to date with the log.

    Any number of such processes may run on one store, on one machine or many, for all models or some. On Kafka,
    those for the same models are a consumer group: one of them works, and another one goes on when it ends.
    """
    if once and follow:
        raise typer.BadParameter("--once and --follow exclude each other")
    chosen = [_projection(name) for name in model or ()]
    if not once:
        write_logs(settings().log_level)
    group = None if once else ".".join(["project", *sorted(model or ())])
    with opened(verify=True, group=group) as system:
        worker = Worker(system.log, system.store, chosen) if chosen else system.worker
        if once and chosen:
            with _shown("read models") as show:
                worker.catch_up(show)
        elif once:
            attended(system)
        _print_positions(worker.positions, as_json)
        if not once:
            # The steward goes with all models; who leads the log also takes its commands.
            commands = not chosen and system.log.leads
            with Upkeep(system, takes_commands=commands, worker=worker).running():
                stopped()


def rebuild(
    model: Annotated[str, typer.Argument(help=f"The read model: {_NAMES}.")],
    back: Annotated[
        bool, typer.Option("--back", help="Catch up the former generation, and read that again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build a read model anew from the log, beside the one that is read, and switch over when it has caught up.

    Reads and writes go on meanwhile. Interrupted, it goes on where it was. The former one is kept until the next
    rebuild, and comes back with --back.
    """
    projection = _projection(model)
    with _parts() as (log, store):
        with _shown(f"rebuild of {model}") as show:
            now = rebuilt(log, store, projection, show, back=back)
        kept = [
            one for one in store.generations() if one.model == model and one.number != now.number
        ]
    if as_json:
        print_json({"model": model, "generation": now.number, "position": now.position})
        return
    typer.echo(f"{model}: generation {now.number} is read now, at position {now.position:,}")
    for one in kept:
        typer.echo(
            f"generation {one.number} is kept; `civic-ledger rebuild {model} --back` brings it back"
        )


def digests(
    model: Annotated[
        str | None, typer.Argument(help=f"One read model ({_NAMES}) instead of all.")
    ] = None,
    at: Annotated[
        int | None,
        typer.Option(min=0, help="As it stood at this position: by a replay up to there."),
    ] = None,
    personal: Annotated[
        bool,
        typer.Option(
            "--personal",
            help="Include the rows that go when a person is erased, to compare two replays of one's own.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a digest of each read model's content, and the position that it stands for (docs/digest.md)."""
    chosen = all_projections() if model is None else (_projection(model),)
    with _parts() as (log, store), _at(log, store, chosen, at) as read:
        found = {one.name: digest(read, one, with_personal=personal) for one in chosen}
    if as_json:
        print_json({name: one._asdict() for name, one in found.items()})
    else:
        _print_digests(found)


def statuses(as_json: AsJson = False) -> None:
    """Show the log's head, and of each read model how far it is, how fast, and why it stands still."""
    with _parts() as (log, store):
        found = status_of(log, store)
    if as_json:
        print_json(found)
    else:
        for line in written(found):
            typer.echo(line)


@contextmanager
def _parts() -> Iterator[tuple[EventLog, Store]]:
    with log_and_store(settings()) as parts:
        yield parts


@contextmanager
def _at(
    log: EventLog, store: Store, chosen: tuple[Projection, ...], position: int | None
) -> Iterator[Store]:
    """A store with the models caught up, or as they stood at a position. Raises `NotFound` beyond the log's end."""
    if position is None:
        worker = Worker(log, store, chosen)
        with _shown("read models") as show:
            worker.catch_up(show)
        yield store
        return
    if position > log.head():
        raise NotFound(f"The log ends at position {log.head():,}.")
    with _shown("replay") as show, as_it_stood(log, chosen, position, show) as scratch:
        yield scratch


@contextmanager
def _shown(what: str) -> Iterator[Progress]:
    """Progress from where it began; see `services.cli.context.progress`."""
    with progress(what, unit="events", lines=True) as show:
        start: int | None = None

        def told(reached: int, head: int) -> None:
            nonlocal start
            start = reached if start is None else start
            show(reached - start, head - start)

        yield told


def _projection(name: str) -> Projection:
    for one in all_projections():
        if one.name == name:
            return one
    raise typer.BadParameter(f"there is no read model {name!r}; there are {_NAMES}")


def _print_positions(positions: dict[str, int], as_json: bool) -> None:
    if as_json:
        print_json(dict(positions))
    else:
        for model, position in positions.items():
            typer.echo(f"{model:10} {position:>12,}")


def _print_digests(found: dict[str, Digest]) -> None:
    for model, one in found.items():
        typer.echo(f"{model:10} {one.position:>12,} {one.digest}")
