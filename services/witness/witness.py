"""The witness itself: a request in, cosignature lines or a refusal out."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from ledger.transparency.errors import Malformed
from ledger.transparency.keys import SigningKey, VerifierKey
from ledger.transparency.note import parse_note
from ledger.transparency.witnessing import (
    Declined,
    check_extends,
    known_checkpoint,
    parse_submission,
)
from services.witness.store import WitnessStore


class Witness:
    """Cosigns for the logs with these keys. May be used from any thread."""

    def __init__(
        self,
        key: SigningKey,
        logs: Iterable[VerifierKey],
        store: WitnessStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.key = key
        self._logs = tuple(logs)
        self._store = store
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> bytes:
        """The signature line that answers a request. Raises `Declined`, `WitnessUnavailable`.

        What is cosigned is on the disk before the cosignature is made: a witness that dies has said nothing else.
        """
        try:
            submission = parse_submission(body)
        except Malformed as error:
            raise Declined(400, str(error)) from error
        checkpoint = known_checkpoint(submission, self._logs)
        check = partial(check_extends, submission, checkpoint)
        self._store.move(checkpoint, submission.checkpoint, check)
        text = parse_note(submission.checkpoint).text
        return self.key.cosign(text, int(self._clock())).line.encode()
