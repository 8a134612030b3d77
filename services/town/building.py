"""The order in which the town comes to be."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from random import Random

from pydantic import BaseModel, ConfigDict

from services.assembly import System
from services.steward import Steward
from services.town.cases import arrange, ask_for_help, offer_services
from services.town.lives import arrive, come_later, move_and_leave
from services.town.mandates import back_programmes, count_mandates, open_mandates
from services.town.people import Person, people
from services.town.places import ORGANISATIONS, corrections, definitions
from services.town.questions import answer, ask, report
from services.town.story import DAYS, Story

NEWCOMERS = 8
"""So many of the people arrive only shortly before the present."""

ORGANISATIONS_WITH_TOKENS = ("town-of-lindhaven", "tidewater-works", "quay-street-bicycles")


class TownToken(BaseModel):
    """A bearer token for one made-up citizen or organisation, which acts for itself alone."""

    model_config = ConfigDict(frozen=True)

    subject: str
    """A citizen's identity, or an organisation's id."""
    name: str
    token: str


class TownTokens(BaseModel):
    """Tokens to try the town with: new each time, and shown once, since only hashes are kept."""

    model_config = ConfigDict(frozen=True)

    citizens: tuple[TownToken, ...]
    organisations: tuple[TownToken, ...]

    def to_dict(self) -> dict[str, list[dict[str, str]]]:
        return self.model_dump(mode="json")


def build(system: System, now: datetime | None = None) -> TownTokens:
    """Make the town, with two months of history up to the present, or what is missing of it.

    Its read models are caught up at the end. Built again, it adds no event. Raises `Refused` where
    something else in the log is in the way, and what reading, writing and projecting raise.
    """
    inhabitants = people(system.vault, Random("Lindhaven"))
    founding = [*definitions()]
    with closing(Story(system, founding[0], now or datetime.now(UTC))) as story:
        story.on(-DAYS, *founding)
        arrive(story, inhabitants[NEWCOMERS:])
        story.tell()
        system.worker.catch_up()
        Steward(story.ledger, system.queries, system.settings.publishable_from).attend()
        story.on(-59, *corrections())
        story.on(-58, *open_mandates())
        _live(story, inhabitants[NEWCOMERS:])
        come_later(story, inhabitants[:NEWCOMERS])
        story.tell(until=-27)
        report(story)
        story.tell()
        system.worker.catch_up()
    return _tokens(system, inhabitants)


def _live(story: Story, residents: Sequence[Person]) -> None:
    """Each part has its own dice, so that a change to one leaves the others as they are."""
    offer_services(story)
    ask(story)
    answer(story, residents, Random("answers"))
    back_programmes(story, residents, Random("mandates"))
    count_mandates(story)
    arrange(story, residents, Random("arrangements"))
    ask_for_help(story, residents, Random("requests"))
    move_and_leave(story, residents, Random("moves"))


def _tokens(system: System, inhabitants: Sequence[Person]) -> TownTokens:
    issue = system.vault.issue_token
    one_of_each_home = {person.home: person for person in inhabitants if person.settled}
    return TownTokens(
        citizens=tuple(
            TownToken(
                subject=person.identity, name=person.name, token=issue("citizen", person.citizen)
            )
            for person in one_of_each_home.values()
        ),
        organisations=tuple(
            TownToken(subject=one, name=ORGANISATIONS[one], token=issue("organisation", one))
            for one in ORGANISATIONS_WITH_TOKENS
        ),
    )
