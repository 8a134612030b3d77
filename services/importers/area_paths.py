"""Area ids for places that foreign files name in words: `pl/warszawa/wola`."""

import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Level = Literal["country", "city", "district", "sub-district"]

_LETTERS = str.maketrans(
    {
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ø": "o",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
    }
)
"""Latin letters that Unicode does not take apart into a plain letter and a mark."""

# fmt: off
_CODES = {
    "andorra": "ad", "albania": "al", "argentina": "ar", "austria": "at", "australia": "au",
    "bosnia and herzegovina": "ba", "belgium": "be", "bulgaria": "bg", "brazil": "br",
    "belarus": "by", "canada": "ca", "switzerland": "ch", "chile": "cl", "colombia": "co",
    "cyprus": "cy", "czechia": "cz", "czech republic": "cz", "germany": "de", "denmark": "dk",
    "estonia": "ee", "spain": "es", "finland": "fi", "france": "fr", "united kingdom": "gb",
    "great britain": "gb", "georgia": "ge", "greece": "gr", "croatia": "hr", "hungary": "hu",
    "ireland": "ie", "israel": "il", "india": "in", "iceland": "is", "italy": "it", "japan": "jp",
    "kenya": "ke", "south korea": "kr", "korea, republic of": "kr", "liechtenstein": "li",
    "lithuania": "lt", "luxembourg": "lu", "latvia": "lv", "monaco": "mc", "moldova": "md",
    "montenegro": "me", "north macedonia": "mk", "malta": "mt", "mexico": "mx",
    "netherlands": "nl", "the netherlands": "nl", "norway": "no", "new zealand": "nz",
    "peru": "pe", "poland": "pl", "portugal": "pt", "romania": "ro", "serbia": "rs",
    "sweden": "se", "slovenia": "si", "slovakia": "sk", "san marino": "sm", "turkey": "tr",
    "türkiye": "tr", "taiwan": "tw", "ukraine": "ua", "united states": "us",
    "united states of america": "us", "usa": "us", "uruguay": "uy", "south africa": "za",
}
# fmt: on
"""ISO 3166-1 alpha-2 codes by the English names that data sets use, in lower case."""


@dataclass(frozen=True, slots=True)
class AreaLevel:
    """One area on the way down to a place: its id, its name, and what kind of level it is."""

    area: str
    name: str
    level: Level


def plain_letters(text: str) -> str:
    """The text in lower case, its Latin letters without marks: `Żoliborz` gives `zoliborz`."""
    marked = unicodedata.normalize("NFKD", text).lower().translate(_LETTERS)
    return "".join(character for character in marked if not unicodedata.combining(character))


def slug(name: str) -> str:
    """The name in lower-case ASCII letters, digits and hyphens: `Kamienna Góra` is `kamienna-gora`.

    A letter that has no Latin form leaves a digest behind, so that two such names stay two.
    """
    plain = plain_letters(name)
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if words and not any(character.isalnum() and not character.isascii() for character in plain):
        return words
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{words}-{digest}" if words else f"x-{digest}"


def country_code(country: str) -> str:
    """The ISO 3166-1 alpha-2 code in lower case; of an unknown country, the slug of its name."""
    if len(country) == 2 and country.isascii() and country.isalpha():
        return country.lower()
    return _CODES.get(country.casefold()) or slug(country)


def area_path(
    country: str, city: str, district: str | None, subunit: str | None
) -> list[AreaLevel]:
    """The areas from the country down to the place whose people a Pabulib file asks.

    A `subunit` that repeats its district is no level of its own. Neither is what follows ` | ` in
    it: `Kamienna Góra | large` is the vote of Kamienna Góra on its large projects, and the same
    people also vote on the small ones (pabulib_process_data calls this `subdistrict_sizes`).
    """
    code = country_code(country)
    place = None if subunit is None else subunit.partition(" | ")[0].strip()
    levels = [AreaLevel(code, country, "country"), AreaLevel(f"{code}/{slug(city)}", city, "city")]
    kinds: list[Level] = ["district", "sub-district"]
    for name in (district, place):
        above = levels[-1]
        if name and slug(name) != slug(above.name):
            levels.append(AreaLevel(f"{above.area}/{slug(name)}", name, kinds.pop(0)))
    return levels
