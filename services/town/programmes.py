"""What the town's parties, associations, companies and people promise, for every policy area."""

from ledger.domain.questions import Option

PROGRAMMES: dict[str, tuple[tuple[str, str], ...]] = {
    "01": (
        ("commons-alliance", "Open every ledger and every meeting"),
        ("clear-water-list", "One office, one form, one answer within a week"),
        ("neighbours-help", "A volunteer guide at every counter"),
    ),
    "02": (
        ("commons-alliance", "Civil defence before arms: shelters, water, radios"),
        ("clear-water-list", "A small service, well equipped and well paid"),
        ("neighbours-help", "Everybody learns first aid"),
    ),
    "03": (
        ("commons-alliance", "Officers on foot who know the street"),
        ("clear-water-list", "Faster courts, clearer verdicts"),
        ("neighbours-help", "Mediators for quarrels between neighbours"),
    ),
    "04": (
        ("commons-alliance", "A bus within ten minutes of every door"),
        ("clear-water-list", "Repair the roads that we have before building more"),
        ("greenline-buses", "Electric buses on every line in four years"),
        ("quay-street-bicycles", "A bicycle lane on every main street"),
    ),
    "05": (
        ("commons-alliance", "Common woods and open river banks"),
        ("clear-water-list", "A river to swim in by the third summer"),
        ("tidewater-works", "Rain water kept in the ground where it falls"),
    ),
    "06": (
        ("commons-alliance", "A third of new homes owned in common"),
        ("clear-water-list", "Insulate the old houses first"),
        ("tidewater-works", "Empty floors turned into small flats"),
    ),
    "07": (
        ("commons-alliance", "A health house in every district"),
        ("clear-water-list", "An appointment within five days"),
        ("velmora-health-office", "Nurses who visit schools and homes"),
    ),
    "08": (
        ("commons-alliance", "Free entry to museums and pools"),
        ("clear-water-list", "One good hall instead of three bad ones"),
        ("neighbours-help", "A choir, a team and a table for everyone"),
    ),
    "09": (
        ("commons-alliance", "Classes of twenty and a warm lunch"),
        ("clear-water-list", "Reading first, screens later"),
        ("town-of-lindhaven", "Schools open as libraries in the evening"),
    ),
    "10": (
        ("commons-alliance", "A floor below which nobody falls"),
        ("clear-water-list", "Help that ends when it is no longer needed"),
        ("neighbours-help", "Somebody to call, at any hour"),
    ),
}


def programmes(policy: str) -> tuple[Option, ...]:
    """The options of a standing mandate for one policy area."""
    return tuple(
        Option(id=organisation, title=title, organisation=organisation)
        for organisation, title in PROGRAMMES[policy]
    )
