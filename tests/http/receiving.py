"""Asking for receipts."""

import time

from httpx import Response

from ledger.transparency.keys import VerifierKey
from ledger.transparency.proof import parse_proof
from tests.http.town import Town


def path_of(question: str) -> str:
    return f"/api/v1/questions/{question}/choice/receipt"


def receipt(town: Town, who: str, question: str, at_least: int = 0) -> Response:
    """The receipt, once one covers a position."""
    until = time.monotonic() + 10
    while True:
        answer = town.client.get(path_of(question), headers=town.bearer(who))
        if answer.status_code == 200 and parse_proof(answer.content).index + 1 >= at_least:
            return answer
        assert answer.json()["type"] == "/problems/not-published-yet"
        assert time.monotonic() < until
        time.sleep(0.02)


def vkey(town: Town) -> VerifierKey:
    """The ledger's key, once there is a checkpoint."""
    until = time.monotonic() + 10
    while (answer := town.client.get("/vkey")).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.02)
    return VerifierKey.parse(answer.text.strip())
