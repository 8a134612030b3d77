"""The catalogue: every event and every command there is, by family. A new family adds one line to each."""

from ledger.domain import (
    areas,
    choices,
    organisations,
    outcomes,
    policies,
    questions,
    requests,
    roll,
    services,
    transparency,
)
from ledger.domain.deciding import Command
from ledger.domain.event import Event

EVENTS: dict[str, tuple[type[Event], ...]] = {
    "area": (areas.AreaDefined, areas.AreaAmended, areas.AreaRetired),
    "policy": (policies.PolicyDefined, policies.PolicyAmended),
    "roll": (roll.CitizenRegistered, roll.CitizenMoved, roll.CitizenJoined, roll.CitizenLeft),
    "party": (organisations.OrganisationRegistered,),
    "question": (
        questions.QuestionOpened,
        questions.QuestionAmended,
        questions.QuestionClosed,
        questions.QuestionUnsealed,
    ),
    "choice": (
        choices.ChoiceMade,
        choices.ChoiceChanged,
        choices.ChoiceWithdrawn,
        choices.ChoiceLapsed,
    ),
    "outcome": (outcomes.DecisionRecorded, outcomes.OutcomeReported),
    "service": (
        services.ServiceDefined,
        services.OfferPublished,
        services.OfferAmended,
        services.OfferWithdrawn,
        services.ArrangementChosen,
        services.ArrangementEnded,
    ),
    "request": requests.REQUEST_EVENTS,
    "transparency": (transparency.KeyRotated, transparency.DigestAttested),
}

COMMANDS: dict[str, tuple[type[Command], ...]] = {
    "area": (areas.DefineArea, areas.RenameArea, areas.RetireArea, roll.MakeAreaPublishable),
    "policy": (policies.DefinePolicy, policies.RenamePolicy),
    "roll": (roll.RegisterCitizen, roll.MoveCitizen, roll.JoinCommunity, roll.LeaveArea),
    "party": (organisations.RegisterOrganisation,),
    "question": (
        questions.OpenQuestion,
        questions.AmendQuestion,
        questions.CloseQuestion,
        questions.UnsealQuestion,
    ),
    "choice": (choices.MakeChoice, choices.WithdrawChoice, choices.LapseChoice),
    "outcome": (outcomes.RecordDecision, outcomes.ReportOutcome),
    "service": (
        services.DefineService,
        services.PublishOffer,
        services.AmendOffer,
        services.WithdrawOffer,
        services.ChooseOffer,
        services.EndArrangement,
    ),
    "request": (
        requests.MakeRequest,
        requests.AcknowledgeRequest,
        requests.AssignRequest,
        requests.UpdateRequest,
        requests.DeliverRequest,
        requests.DeclineRequest,
        requests.ConfirmRequest,
        requests.DisputeRequest,
        requests.RateRequest,
    ),
    "transparency": (transparency.RotateKey, transparency.AttestDigest),
}

EVENT_BY_TYPE = {event.type: event for family in EVENTS.values() for event in family}
COMMAND_BY_VERB = {command.verb: command for family in COMMANDS.values() for command in family}
