"""How the town's people answer: marks for any method, and words of their own."""

from collections.abc import Sequence
from random import Random

from ledger.domain.methods import Agreement, Approval, Method, Points, Ranking, Score, Single
from ledger.domain.questions import Option

_WORDS = (
    "My grandmother asked for this thirty years ago.",
    "I would lend a hand with it on Saturdays.",
    "Please think of those of us who cannot see well.",
    "I changed my mind after the last meeting.",
    "We have talked about it at our kitchen table for weeks.",
    "If it must be paid for by new fees, then rather not.",
)


def words(rng: Random) -> str | None:
    """What one in six says beside their marks; it is for the vault alone."""
    return rng.choice(_WORDS) if rng.random() < 1 / 6 else None


def marks(
    method: Method, options: Sequence[Option], rng: Random, favourite: Option | None = None
) -> dict[str, int]:
    """Legal marks by one person; `favourite` comes first with them."""
    order = list(options)
    rng.shuffle(order)
    if favourite is not None:
        order.remove(favourite)
        order.insert(0, favourite)
    match method:
        case Single():
            return {order[0].id: 1}
        case Approval():
            number = rng.randint(1, method.maximum or len(order))
            return {one.id: 1 for one in _affordable(method, order[:number])}
        case Ranking():
            ranked = order[: rng.randint(1, method.maximum or len(order))]
            return {one.id: rank for rank, one in enumerate(ranked, 1)}
        case Score():
            best = {order[0].id: method.max_mark - rng.randint(0, 1)}
            return best | {one.id: rng.randint(0, method.max_mark - 2) for one in order[1:]}
        case Points():
            first = rng.randint(method.total // 2 + 1, method.total - 1)
            return {order[0].id: first, order[1].id: method.total - first}
        case Agreement():
            return {order[0].id: 1} | {one.id: rng.choice((-1, -1, 0, 1)) for one in order[1:]}


def level_pair(method: Method, options: Sequence[Option]) -> tuple[dict[str, int], dict[str, int]]:
    """The marks of two people who together put the first two options level, above all others."""
    first, second, *_ = (one.id for one in options)
    match method:
        case Single():
            return {first: 1}, {second: 1}
        case Approval() | Agreement():
            return {first: 1, second: 1}, {second: 1, first: 1}
        case Ranking():
            return {first: 1, second: 2}, {second: 1, first: 2}
        case Score():
            high, low = method.max_mark, method.max_mark - 3
            return {first: high, second: low}, {first: low, second: high}
        case Points():
            most, rest = method.total - 3, 3
            return {first: most, second: rest}, {first: rest, second: most}


def _affordable(method: Approval, order: Sequence[Option]) -> list[Option]:
    taken: list[Option] = []
    cost = 0
    for one in order:
        if method.max_cost is None or cost + (one.cost or 0) <= method.max_cost:
            taken.append(one)
            cost += one.cost or 0
    return taken
