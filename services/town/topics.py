"""What the town asks about: one topic for each method (and rule) that there is."""

from dataclasses import dataclass

from ledger.domain.counting.rules import (
    EqualShares,
    Greedy,
    InstantRunoff,
    MostApproved,
    Plurality,
    Rule,
    Schulze,
    Share,
    Threshold,
)
from ledger.domain.methods import Agreement, Approval, Method, Points, Ranking, Score, Single
from ledger.domain.questions import Option


@dataclass(frozen=True, slots=True)
class Topic:
    """`tying` is the rule of a question that will end in a tie between its first two options."""

    id: str
    title: str
    policy: str
    method: Method
    options: tuple[Option, ...]
    rule: Rule
    tying: Rule


def _options(**titles: str) -> tuple[Option, ...]:
    return tuple(Option(id=id_.replace("_", "-"), title=title) for id_, title in titles.items())


def _projects(**projects: tuple[str, int]) -> tuple[Option, ...]:
    return tuple(
        Option(id=id_.replace("_", "-"), title=title, cost=cost)
        for id_, (title, cost) in projects.items()
    )


TOPICS = (
    Topic(
        "meeting-evening",
        "On which evening should public meetings be held?",
        "01.1",
        Single(),
        _options(tuesday="Tuesday", wednesday="Wednesday", thursday="Thursday", sunday="Sunday"),
        rule=Plurality(),
        tying=Plurality(),
    ),
    Topic(
        "meeting-place",
        "What should the new meeting place offer? (up to three)",
        "08.6",
        Approval(maximum=3),
        _options(
            workshop="An open workshop",
            reading_corner="A reading corner",
            kitchen="A shared kitchen",
            music_room="A music room",
            play_room="A play room",
        ),
        rule=MostApproved(seats=2),
        tying=MostApproved(),
    ),
    Topic(
        "improvements",
        "What should the money for small improvements be spent on?",
        "06.2",
        Approval(max_cost=40_000),
        _projects(
            benches=("Twelve benches in the shade", 18_000),
            bicycle_stands=("Covered bicycle stands", 18_000),
            fountain=("A drinking fountain", 9_000),
            notice_boards=("New notice boards", 4_000),
            street_trees=("Thirty street trees", 22_000),
        ),
        rule=Greedy(budget=45_000),
        tying=Greedy(budget=26_000),
    ),
    Topic(
        "green-fund",
        "Which projects should the green fund pay for?",
        "05.4",
        Approval(max_cost=60_000),
        _projects(
            meadow=("A wildflower meadow", 25_000),
            rain_garden=("A rain garden", 25_000),
            compost=("A composting place", 8_000),
            nest_boxes=("Nest boxes and bat roosts", 3_000),
            solar_roof=("Solar panels for the hall", 48_000),
        ),
        rule=EqualShares(budget=60_000, completion="add1", step=10),
        tying=EqualShares(budget=30_000),
    ),
    Topic(
        "sharing-station",
        "Where should the next sharing station for bicycles and carts stand?",
        "04.5",
        Ranking(),
        _options(
            market_hall="By the market hall",
            ferry="By the ferry",
            school_gate="By the school gate",
            station="By the station",
        ),
        rule=InstantRunoff(),
        tying=InstantRunoff(),
    ),
    Topic(
        "garden-name",
        "What should the new garden be called?",
        "08.2",
        Ranking(maximum=4),
        _options(
            heron_garden="Heron Garden",
            ropewalk_garden="Ropewalk Garden",
            garden_of_the_tides="Garden of the Tides",
            lantern_garden="Lantern Garden",
        ),
        rule=Schulze(),
        tying=Schulze(),
    ),
    Topic(
        "bench-design",
        "How well do you like each design for the new shelters? (0 to 10)",
        "06.1",
        Score(max_mark=10),
        _options(timber="Timber and slate", glass="Glass and steel", brick="Old brick, reused"),
        rule=Plurality(),
        tying=Plurality(),
    ),
    Topic(
        "culture-money",
        "How should the money for culture be shared out? (10 points)",
        "08.2",
        Points(total=10, min_total=5),
        _options(
            film_nights="Film nights in the open",
            choir="The choir",
            theatre="The puppet theatre",
            festival="The harbour festival",
        ),
        rule=Plurality(seats=2),
        tying=Plurality(),
    ),
    Topic(
        "quiet-streets",
        "Do you agree with these statements about our streets?",
        "05.3",
        Agreement(),
        _options(
            slow="Side streets should have a limit of 30 km/h.",
            night="Lorries should stay out at night.",
            trees="A parking space may become a place for a tree.",
            music="Music in the street may go on until ten.",
        ),
        rule=Threshold(share=Share(numerator=1, denominator=2), exceed=True),
        tying=Plurality(),
    ),
)
