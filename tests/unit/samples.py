"""Events of every type, with all that they can hold. Their bytes are in `golden_entries.jsonl`."""

from ledger.domain.areas import AreaAmended, AreaDefined, AreaRetired
from ledger.domain.choices import (
    Answer,
    ChoiceChanged,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
)
from ledger.domain.counting.rules import (
    EqualShares,
    Greedy,
    InstantRunoff,
    MostApproved,
    Plurality,
    Schulze,
    Share,
    Threshold,
)
from ledger.domain.event import Event
from ledger.domain.methods import Agreement, Approval, Points, Ranking, Score, Single
from ledger.domain.organisations import OrganisationRegistered
from ledger.domain.outcomes import DecisionRecorded, Evidence, OutcomeReported
from ledger.domain.policies import PolicyAmended, PolicyDefined
from ledger.domain.questions import (
    Option,
    QuestionAmended,
    QuestionClosed,
    QuestionOpened,
    QuestionUnsealed,
)
from ledger.domain.requests import (
    RequestAcknowledged,
    RequestAssigned,
    RequestConfirmed,
    RequestDeclined,
    RequestDelivered,
    RequestDisputed,
    RequestMade,
    RequestRated,
    RequestUpdated,
)
from ledger.domain.roll import CitizenJoined, CitizenLeft, CitizenMoved, CitizenRegistered
from ledger.domain.services import (
    ArrangementChosen,
    ArrangementEnded,
    OfferAmended,
    OfferPublished,
    OfferWithdrawn,
    ServiceDefined,
)
from ledger.domain.transparency import DigestAttested, KeyRotated

PERSON = "0123456789abcdef0123456789abcdef"
PRIVATE = "5e" * 32
VKEYS = (
    "ledger.example/x+5580c2cf+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
    "ledger.example/x+4af67df9+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
)
OPENS, CLOSES = "2026-05-01T00:00:00.000000Z", "2026-06-01T00:00:00.000000Z"
LIVE = Answer(area="aa/bb", marks={"b": 2, "a": 1})
SEALED = Answer(area="aa", sealed="00ff")
PROJECTS = (
    Option(id="p/1", title="Ławka", cost=0),
    Option(id="p 2", title="Drzewa", cost=2**53 - 1),
)
PLAIN = (Option(id="a", title="A"), Option(id="b", title="B"))


def asked(id_: str, **fields: object) -> QuestionOpened:
    said = {"title": "Co?", "area": "aa", "electorate": "aa", "opens": OPENS, "options": PLAIN}
    return QuestionOpened.model_validate({"question": id_, **said, **fields})


QUESTIONS = (
    asked("single", method=Single(), rule=Plurality()),
    asked(
        "mandate",
        method=Single(),
        policy="07",
        mandate=True,
        options=(Option(id="x", title="X", organisation="bakers"),),
    ),
    asked(
        "approval",
        about="Dlaczego?\nBo tak.",
        electorate="aa/bb",
        policy="07",
        method=Approval(minimum=1, maximum=2, max_cost=2**53 - 1),
        options=PROJECTS,
        closes=CLOSES,
        results="after_close",
        rule=Greedy(name="greedy-threshold", budget=10, threshold=1),
        seal="ab" * 32,
    ),
    asked("groups", method=Approval(), options=PROJECTS, rule=EqualShares(budget=1, step=100)),
    asked("ranking", method=Ranking(minimum=1, maximum=2), rule=InstantRunoff()),
    asked("ranking/2", method=Ranking(), rule=Schulze()),
    asked("score", method=Score(max_mark=10), rule=Plurality(seats=2)),
    asked("points", method=Points(total=10, min_total=5, minimum=1, maximum=2)),
    asked(
        "agreement",
        method=Agreement(),
        rule=Threshold(
            share=Share(numerator=1, denominator=2),
            exceed=True,
            quorum=Share(numerator=1, denominator=10),
        ),
    ),
    asked("approved", method=Approval(), rule=MostApproved(seats=2)),
)

SAMPLES: tuple[Event, ...] = (
    AreaDefined(
        area="aa/bb", name="Bb", kind="territory", ocd_id="ocd-division/country:aa/town:bb"
    ),
    AreaDefined(area="aa", name="Aa", kind="community"),
    AreaAmended(area="aa", name="Ä \U0001f33b", publishable=True),
    AreaRetired(area="aa"),
    PolicyDefined(policy="07.1", name="Clinics", parent="07"),
    PolicyAmended(policy="07", name='"Health" \\ care'),
    CitizenRegistered(person=PERSON, home="aa/bb", private=PRIVATE),
    CitizenMoved(person=PERSON, origin="aa", home="aa/bb"),
    CitizenMoved(person=PERSON, home="aa/bb"),
    CitizenJoined(person=PERSON, area="aa/club"),
    CitizenLeft(person=PERSON, area="aa/club"),
    OrganisationRegistered(
        organisation="bakers", name="Bakers", kind="company", area="aa", about="Bread."
    ),
    *QUESTIONS,
    QuestionAmended(question="single", title="Which?", about="Why.", options=PLAIN, closes=CLOSES),
    QuestionClosed(question="single"),
    QuestionUnsealed(question="approval", key="cd" * 32),
    ChoiceMade(question="ranking", voter=PERSON, answer=LIVE, private=PRIVATE),
    ChoiceMade(question="approval", voter=PERSON, answer=SEALED),
    ChoiceChanged(question="ranking", voter=PERSON, answer=LIVE, previous=LIVE, private=PRIVATE),
    ChoiceWithdrawn(question="ranking", voter=PERSON, previous=LIVE),
    ChoiceLapsed(question="approval", voter=PERSON, previous=SEALED),
    DecisionRecorded(
        question="single",
        by="council",
        rule=Plurality(),
        voters=3,
        adopted=("a",),
        tied=("b",),
        reason="Counted.",
    ),
    DecisionRecorded(question="points", voters=0, adopted=(), reason="Too early."),
    OutcomeReported(
        question="single",
        option="a",
        stage="implemented",
        percent=100,
        by="bakers",
        about="Done.",
        evidence=(Evidence(title="Photo", address="https://x.example/1", sha256="ef" * 32),),
    ),
    ServiceDefined(service="bread", title="Bread", about="Daily.", area="aa", policy="07"),
    OfferPublished(
        service="bread", offer="bread/b", organisation="bakers", title="Rolls", about="Early."
    ),
    OfferAmended(service="bread", offer="bread/b", title="Buns", about="Late."),
    OfferWithdrawn(service="bread", offer="bread/b"),
    ArrangementChosen(service="bread", offer="bread/b", holder=PERSON, previous="bread/c"),
    ArrangementEnded(service="bread", offer="bread/b", holder=PERSON),
    RequestMade(
        request="r/1",
        service="bread",
        offer="bread/b",
        organisation="bakers",
        area="aa",
        requester=PERSON,
        private=PRIVATE,
    ),
    RequestAcknowledged(request="r/1", private=PRIVATE),
    RequestAssigned(request="r/1", unit="Night shift", private=PRIVATE),
    RequestUpdated(request="r/1", private=PRIVATE),
    RequestDelivered(request="r/1", private=PRIVATE),
    RequestDeclined(request="r/1", private=PRIVATE),
    RequestConfirmed(request="r/1"),
    RequestDisputed(request="r/1", private=PRIVATE),
    RequestRated(request="r/1", rating=5),
    KeyRotated(previous=VKEYS[0], vkey=VKEYS[1]),
    DigestAttested(model="area", version=2, position=2**53 - 1, digest="ab" * 32),
)
