"""The town's people: invented names, and where they live and belong."""

from dataclasses import dataclass
from random import Random

from ledger.domain.roll import RegisterCitizen
from ledger.vault.vault import Vault
from services.town.places import COOPERATIVE, HOMES, ISLAND, SCHOOL

# fmt: off
_FIRST = (
    "Ada", "Alvar", "Amina", "Anselm", "Bela", "Birgit", "Cato", "Clara", "Dario", "Edda", "Elif",
    "Emil", "Farid", "Freya", "Gerda", "Hanno", "Ida", "Ilya", "Imre", "Jana", "Jonas", "Kaja",
    "Lena", "Linus", "Mads", "Marta", "Mira", "Nadia", "Noor", "Olga", "Oskar", "Pavel", "Rasa",
    "Ruben", "Selma", "Stina", "Tarek", "Una", "Vera", "Yusuf",
)
_LAST = (
    "Aldervik", "Ambrun", "Barrowin", "Bellgard", "Brackwater", "Cairnholt", "Dovrel", "Eskelund",
    "Fallowby", "Farnholt", "Gildern", "Hallowell", "Harrowgat", "Ivarson", "Kestrel", "Larkmoor",
    "Lindqvar", "Marrowin", "Nettleby", "Ormsund", "Pellavar", "Quillon", "Ravensund", "Rowanby",
    "Saltmarsh", "Skarholt", "Tarnwell", "Tolverin", "Ulvestad", "Wrenfield",
)
_STREETS = ("Quay Street", "Mill Race", "Birch Lane", "Station Row", "Ropewalk", "Heron Steps")
# fmt: on


@dataclass(frozen=True, slots=True)
class Person:
    """`citizen` is the id that the vault gave the identity; the settled neither move nor leave."""

    identity: str
    name: str
    street: str
    citizen: str
    home: str
    communities: tuple[str, ...]
    settled: bool

    def belongs_to(self, area: str) -> bool:
        return area in self.communities or (self.home + "/").startswith(area + "/")

    def registration(self) -> RegisterCitizen:
        details = {"name": self.name, "street": self.street}
        return RegisterCitizen(citizen=self.citizen, home=self.home, details=details)


def people(vault: Vault, rng: Random) -> list[Person]:
    """Everybody, enrolled in the vault: the same people each time for the same state of `rng`."""
    names = [f"{first} {last}" for first in _FIRST for last in _LAST]
    homes = [home for home, residents in HOMES.items() for _ in range(residents)]
    chosen = rng.sample(names, len(homes))
    citizens = vault.enrol_all([_identity(name) for name in chosen])
    found = []
    for name, home in zip(chosen, homes, strict=True):
        street = f"{rng.randint(1, 60)} {rng.choice(_STREETS)}"
        identity = _identity(name)
        communities = _communities(home, rng)
        settled = rng.random() > 0.1 or home == ISLAND
        found.append(Person(identity, name, street, citizens[identity], home, communities, settled))
    rng.shuffle(found)
    return found


def _identity(name: str) -> str:
    return "town/" + name.lower().replace(" ", ".")


def _communities(home: str, rng: Random) -> tuple[str, ...]:
    likely = {SCHOOL: 0.15, COOPERATIVE: 0.3 if home.endswith("old-quay") else 0.05}
    if home in (ISLAND, "velmora/ostrel"):
        return ()
    return tuple(area for area, chance in likely.items() if rng.random() < chance)
