"""Why a command is refused, by name. The names are stable: callers, translations and tests rest on them."""

from enum import StrEnum


class Reason(StrEnum):
    """The closed list of reasons. Each is also the last part of a problem document's `type` (RFC 9457)."""

    UNKNOWN_AREA = "unknown-area"
    AREA_EXISTS = "area-exists"
    AREA_RETIRED = "area-retired"
    WRONG_KIND_OF_AREA = "wrong-kind-of-area"
    ROLL_TOO_SMALL = "roll-too-small"
    UNKNOWN_POLICY = "unknown-policy"
    POLICY_EXISTS = "policy-exists"
    ALREADY_REGISTERED = "already-registered"
    NOT_REGISTERED = "not-registered"
    ALREADY_THERE = "already-there"
    NOT_A_MEMBER = "not-a-member"
    UNKNOWN_ORGANISATION = "unknown-organisation"
    ORGANISATION_EXISTS = "organisation-exists"
    UNKNOWN_QUESTION = "unknown-question"
    QUESTION_EXISTS = "question-exists"
    QUESTION_CLOSED = "question-closed"
    QUESTION_NOT_CLOSED = "question-not-closed"
    QUESTION_HAS_CHOICES = "question-has-choices"
    MANDATE_EXISTS = "mandate-exists"
    CONTRADICTORY_QUESTION = "contradictory-question"
    NOT_SEALED = "not-sealed"
    STILL_SEALED = "still-sealed"
    NOT_OPEN_YET = "not-open-yet"
    WINDOW_OVER = "window-over"
    WINDOW_STILL_OPEN = "window-still-open"
    NOT_ON_THE_ROLL = "not-on-the-roll"
    ILLEGAL_MARKS = "illegal-marks"
    NO_STANDING_CHOICE = "no-standing-choice"
    STILL_BELONGS = "still-belongs"
    NO_RULE = "no-rule"
    ALREADY_DECIDED = "already-decided"
    NOT_DECIDED = "not-decided"
    NOT_ADOPTED = "not-adopted"
    UNKNOWN_SERVICE = "unknown-service"
    SERVICE_EXISTS = "service-exists"
    UNKNOWN_OFFER = "unknown-offer"
    OFFER_EXISTS = "offer-exists"
    OFFER_WITHDRAWN = "offer-withdrawn"
    NO_ARRANGEMENT = "no-arrangement"
    UNKNOWN_REQUEST = "unknown-request"
    REQUEST_EXISTS = "request-exists"
    WRONG_STAGE = "wrong-stage"
    NOT_YOURS = "not-yours"
    KEY_NOT_CURRENT = "key-not-current"
    KEY_USED_BEFORE = "key-used-before"
    ALREADY_ATTESTED = "already-attested"
    ENTRY_TOO_LARGE = "entry-too-large"


class Refused(Exception):
    """A command that the rules do not allow. Nothing was changed; send a command that the rules allow."""

    def __init__(self, reason: Reason, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.field = field

    def __reduce__(self) -> tuple[type["Refused"], tuple[Reason, str, str | None]]:
        return type(self), (self.reason, self.detail, self.field)
