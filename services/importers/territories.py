"""Defines the areas that foreign files speak of, where the ledger does not have them yet."""

from collections.abc import Iterable, Mapping

from ledger.domain.areas import Area, DefineArea, areas
from ledger.domain.refusals import Refused
from ledger.recording import Ledger
from services.importers.run import Run, carried_out


def known_areas(ledger: Ledger) -> Mapping[str, Area]:
    """All areas that are defined now."""
    return ledger.facts().about(areas()).by_id


def define(run: Run, wanted: Iterable[DefineArea]) -> dict[str, Refused]:
    """Define areas, those above first; one that exists stays as it is. What was refused, by area."""
    known = known_areas(run.ledger)
    by_depth: dict[int, dict[str, DefineArea]] = {}
    for one in wanted:
        if one.area not in known:
            by_depth.setdefault(one.area.count("/"), {}).setdefault(one.area, one)
    refused = {}
    for _, level in sorted(by_depth.items()):  # an area is decided on what is above it
        commands = ((one.area, one.area, one) for one in level.values())
        for area, outcome in carried_out(run.ledger, commands):
            if isinstance(outcome, Refused):
                refused[area] = outcome
    return refused
