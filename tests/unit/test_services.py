"""Services, competing offers, and the citizens' standing choices among them."""

from ledger.domain.areas import RetireArea
from ledger.domain.refusals import Reason
from ledger.domain.roll import JoinCommunity, LeaveArea
from ledger.domain.services import (
    AmendOffer,
    Arrangement,
    ArrangementChosen,
    ArrangementEnded,
    ChooseOffer,
    DefineService,
    EndArrangement,
    OfferAmended,
    OfferPublished,
    OfferWithdrawn,
    PublishOffer,
    ServiceDefined,
    WithdrawOffer,
    arrangement,
)
from tests.unit.domain import (
    ANNA,
    BEN,
    SECRETS,
    WORLD,
    KnownFacts,
    Refusal,
    each,
    given,
    happened,
)

BREAD = DefineService(service="bread", title="Bread at the door", area="aa/bb", policy="07")
BAKERS_OFFER = PublishOffer(
    offer="bread/bakers", service="bread", organisation="bakers", title="Rolls at six"
)
PARENTS_OFFER = PublishOffer(
    offer="bread/parents", service="bread", organisation="parents", title="Sourdough on Fridays"
)
OFFERED = (*WORLD, BREAD, BAKERS_OFFER, PARENTS_OFFER)
WITHDRAWN = WithdrawOffer(offer="bread/bakers", organisation="bakers")
CHOSEN = ChooseOffer(citizen=ANNA, offer="bread/bakers")
END = EndArrangement(citizen=ANNA, service="bread")
HOLDER = SECRETS.pseudonym(ANNA, "service/bread")
BAKERS_TAGS = ("offer:bread/bakers", "service:bread", "organisation:bakers")
PARENTS_TAGS = ("offer:bread/parents", "service:bread", "organisation:parents")

REFUSALS = [
    Refusal("a service twice", [*WORLD, BREAD], BREAD, Reason.SERVICE_EXISTS, "service"),
    Refusal(
        "nowhere",
        WORLD,
        BREAD.model_copy(update={"area": "zz"}),
        Reason.UNKNOWN_AREA,
        "area",
    ),
    Refusal(
        "in a retired area",
        [*WORLD, RetireArea(area="aa/bb/cc")],
        BREAD.model_copy(update={"area": "aa/bb/cc"}),
        Reason.AREA_RETIRED,
        "area",
    ),
    Refusal(
        "for no policy area known",
        WORLD,
        BREAD.model_copy(update={"policy": "99"}),
        Reason.UNKNOWN_POLICY,
        "policy",
    ),
    Refusal("an offer twice", OFFERED, BAKERS_OFFER, Reason.OFFER_EXISTS, "offer"),
    Refusal(
        "an offer again after it was withdrawn",
        [*OFFERED, WITHDRAWN],
        BAKERS_OFFER,
        Reason.OFFER_EXISTS,
        "offer",
    ),
    Refusal("an offer of no service", WORLD, BAKERS_OFFER, Reason.UNKNOWN_SERVICE, "service"),
    Refusal(
        "an offer of nobody",
        [*WORLD, BREAD],
        BAKERS_OFFER.model_copy(update={"organisation": "nobody"}),
        Reason.UNKNOWN_ORGANISATION,
        "organisation",
    ),
    Refusal(
        "to amend no offer",
        WORLD,
        AmendOffer(offer="none", organisation="bakers", title="New"),
        Reason.UNKNOWN_OFFER,
        "offer",
    ),
    Refusal(
        "to amend a withdrawn offer",
        [*OFFERED, WITHDRAWN],
        AmendOffer(offer="bread/bakers", organisation="bakers", title="New"),
        Reason.OFFER_WITHDRAWN,
        "offer",
    ),
    Refusal(
        "to amend another's offer",
        OFFERED,
        AmendOffer(offer="bread/bakers", organisation="parents", title="New"),
        Reason.NOT_YOURS,
        "offer",
    ),
    Refusal("to withdraw no offer", WORLD, WITHDRAWN, Reason.UNKNOWN_OFFER, "offer"),
    Refusal(
        "to withdraw it twice", [*OFFERED, WITHDRAWN], WITHDRAWN, Reason.OFFER_WITHDRAWN, "offer"
    ),
    Refusal(
        "to withdraw another's offer",
        OFFERED,
        WithdrawOffer(offer="bread/bakers", organisation="parents"),
        Reason.NOT_YOURS,
        "offer",
    ),
    Refusal("to choose no offer", WORLD, CHOSEN, Reason.UNKNOWN_OFFER, "offer"),
    Refusal(
        "to choose a withdrawn offer",
        [*OFFERED, WITHDRAWN],
        CHOSEN,
        Reason.OFFER_WITHDRAWN,
        "offer",
    ),
    Refusal(
        "a stranger to choose",
        OFFERED,
        ChooseOffer(citizen=BEN, offer="bread/bakers"),
        Reason.NOT_ON_THE_ROLL,
        "service",
    ),
    Refusal(
        "one who left to choose",
        [*OFFERED, LeaveArea(citizen=ANNA, area="aa/bb/cc")],
        CHOSEN,
        Reason.NOT_ON_THE_ROLL,
        "service",
    ),
    Refusal("to end nothing", OFFERED, END, Reason.NO_ARRANGEMENT, "service"),
    Refusal("to end it twice", [*OFFERED, CHOSEN, END], END, Reason.NO_ARRANGEMENT, "service"),
    Refusal("to end what is no service", WORLD, END, Reason.UNKNOWN_SERVICE, "service"),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def test_a_service() -> None:
    defined = ServiceDefined(service="bread", title="Bread at the door", area="aa/bb", policy="07")
    given(*WORLD).when(BREAD).then(happened(defined, "service:bread", "area:aa/bb", "policy:07"))
    plain = DefineService(service="salt", title="Salt", area="aa", about="Daily.")
    given(*WORLD).when(plain).then(
        happened(
            ServiceDefined(service="salt", title="Salt", area="aa", about="Daily."),
            "service:salt",
            "area:aa",
        )
    )


def test_offers_compete() -> None:
    published = OfferPublished(
        offer="bread/parents",
        service="bread",
        organisation="parents",
        title="Sourdough on Fridays",
    )
    given(*WORLD, BREAD, BAKERS_OFFER).when(PARENTS_OFFER).then(happened(published, *PARENTS_TAGS))


def test_a_provider_amends_and_withdraws_its_own_offer() -> None:
    amend = AmendOffer(offer="bread/bakers", organisation="bakers", about="Gluten-free too.")
    given(*OFFERED).when(amend).then(
        happened(
            OfferAmended(service="bread", offer="bread/bakers", about="Gluten-free too."),
            *BAKERS_TAGS,
        )
    )
    given(*OFFERED).when(WITHDRAWN).then(
        happened(OfferWithdrawn(service="bread", offer="bread/bakers"), *BAKERS_TAGS)
    )


def test_a_standing_choice_of_an_offer() -> None:
    given(*OFFERED).when(CHOSEN).then(
        happened(
            ArrangementChosen(service="bread", offer="bread/bakers", holder=HOLDER),
            f"citizen:{ANNA}",
            *BAKERS_TAGS,
        )
    )


def test_choosing_anew_says_which_offer_is_left() -> None:
    other = ChooseOffer(citizen=ANNA, offer="bread/parents")
    chosen = ArrangementChosen(
        service="bread", offer="bread/parents", holder=HOLDER, previous="bread/bakers"
    )
    given(*OFFERED, CHOSEN).when(other).then(happened(chosen, f"citizen:{ANNA}", *PARENTS_TAGS))


def test_ending_an_arrangement_even_of_an_offer_that_was_withdrawn() -> None:
    ended = happened(
        ArrangementEnded(service="bread", offer="bread/bakers", holder=HOLDER),
        f"citizen:{ANNA}",
        *BAKERS_TAGS,
    )
    given(*OFFERED, CHOSEN).when(END).then(ended)
    given(*OFFERED, CHOSEN, WITHDRAWN).when(END).then(ended)


def test_a_member_uses_the_services_of_their_community() -> None:
    club = BREAD.model_copy(update={"area": "aa/bb/club"})
    joined = JoinCommunity(citizen=ANNA, area="aa/bb/club")
    given(*WORLD, club, BAKERS_OFFER).when(CHOSEN).refused(Reason.NOT_ON_THE_ROLL, "service")
    event = given(*WORLD, joined, club, BAKERS_OFFER).when(CHOSEN).event
    assert isinstance(event, ArrangementChosen)


def test_the_arrangement_as_it_stands() -> None:
    other = ChooseOffer(citizen=ANNA, offer="bread/parents")
    for done, offer in (((CHOSEN, other), "bread/parents"), ((CHOSEN, END), None), ((), None)):
        facts = KnownFacts(given(*OFFERED, *done).past)
        assert facts.about(arrangement(ANNA, "bread")) == Arrangement(offer)
