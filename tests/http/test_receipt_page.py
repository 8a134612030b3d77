"""The page of receipts."""

from typing import Any

import pytest
from httpx import Response

from ledger.domain.transparency import RotateKey
from ledger.eventlog.port import EVERYTHING
from ledger.transparency.keys import SigningKey
from services.receipts import Receipts
from tests.http.receiving import receipt, vkey
from tests.http.town import Town


def page(town: Town, text: str) -> Response:
    return town.client.request("POST", "/receipts", data={"receipt": text})


def test_the_page_says_how_and_shows_the_key(town: Town) -> None:
    key = vkey(town).vkey
    answer = town.client.get("/receipts")
    assert answer.status_code == 200
    assert key in answer.text.replace("&#43;", "+")
    assert "civic-ledger receipt verify" in answer.text
    assert "/receipts" in town.client.get("/areas").text


def test_the_page_shows_what_became_of_a_pasted_receipt(town: Town) -> None:
    text = receipt(town, "ben", "decided").text
    for pasted in (text, text.replace("\n", "\r\n"), "\n" + text.rstrip("\n")):
        answer = page(town, pasted)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        for told in ("Proven", "this choice was counted in it", "40 %", "Under way", "adopted"):
            assert told in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "nonsense",
        lambda text: text.replace("index ", "index 1"),
        lambda text: text[:-20],
        lambda text: "<b>" + text,
    ],
)
def test_the_page_of_a_receipt_that_proves_nothing(town: Town, change: Any) -> None:
    answer = page(town, change(receipt(town, "ben", "decided").text))
    assert answer.status_code == 200
    assert "This receipt proves nothing" in answer.text
    assert "Proven:" not in answer.text
    assert "<b>" not in answer.text


def test_a_receipt_of_something_else_is_proven_and_followed_nowhere(town: Town) -> None:
    receipt(town, "ben", "decided")
    (first,) = town.system.log.select(EVERYTHING, limit=1)
    found = Receipts(town.system).of(first)
    answer = page(town, found.proof.encode().decode())
    assert "Proven" in answer.text
    assert "What has become of it" not in answer.text


def test_a_receipt_from_before_a_rotation_is_still_known(town: Town) -> None:
    receipts = Receipts(town.system)
    current, text = vkey(town), receipt(town, "ben", "decided").text
    assert receipts.known_keys() == [current]
    first, last = (SigningKey(current.name, bytes([n] * 32)).verifier for n in (1, 2))
    for previous, new in ((first, current), (current, last)):
        town.system.ledger.execute(RotateKey(previous=previous.vkey, vkey=new.vkey))
    assert receipts.known_keys() == [current, last, first]
    town.system.public.write([("vkey", f"{last.vkey}\n".encode())])
    assert receipts.known_keys() == [last, current, first]
    assert "Proven" in page(town, text).text
