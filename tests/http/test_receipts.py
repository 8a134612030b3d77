"""Receipts: proof of one's own choice within two seconds, good for ever, and what became of the choice."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.domain.outcomes import RecordDecision
from ledger.domain.roll import MoveCitizen
from ledger.eventlog.port import EVERYTHING
from ledger.transparency.errors import Unverified
from ledger.transparency.keys import SigningKey
from ledger.transparency.proof import parse_proof, verify_proof
from projections.tree.folder import PublicFolder
from services.receipts import NotCovered, Receipts
from tests.audit.go import build, verdict
from tests.audit.trees import write
from tests.cli.test_command_line import civic_ledger
from tests.http.process import environment
from tests.http.receiving import path_of, receipt, vkey
from tests.http.town import SLASHES, Town

WITHIN = 2.0
"""Seconds after the choice: what is promised."""


def followed(town: Town, who: str, question: str) -> dict[str, Any]:
    receipt(town, who, question)
    answer = town.client.get(f"{path_of(question)}.json", params={}, headers=town.bearer(who))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_choice_has_its_receipt_within_two_seconds(town: Town) -> None:
    started = time.monotonic()
    position = town.choose("ada", "plain", {"yes": 1}).json()["position"]
    answer = receipt(town, "ada", "plain", position)
    assert time.monotonic() - started < WITHIN
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="receipt-{position}.tlog-proof"'
    )
    assert answer.headers["cache-control"] == "no-store"
    proof = parse_proof(answer.content)
    (record,) = town.system.log.select(EVERYTHING, after=position - 1, limit=1)
    assert (proof.index, proof.extra) == (position - 1, record.entry)
    signed = verify_proof(proof, record.entry, [vkey(town)])
    assert signed.checkpoint.size >= position
    assert orjson.loads(record.entry)["data"]["answer"]["marks"] == {"yes": 1}
    assert town.citizens["ada"].encode() not in answer.content
    assert b"id/ada" not in answer.content


def test_the_questions_id_may_hold_slashes(town: Town) -> None:
    position = town.choose("ada", SLASHES, {"yes": 1}).json()["position"]
    assert parse_proof(receipt(town, "ada", SLASHES, position).content).index == position - 1


def test_other_peoples_tools_and_ours_verify_it_from_the_file_and_the_vkey(
    town: Town, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    position = town.choose("ada", "plain", {"no": 1}).json()["position"]
    data = receipt(town, "ada", "plain", position).content
    file, key = write(tmp_path / "my.tlog-proof", data), vkey(town).vkey
    extra = parse_proof(data).extra
    assert extra is not None
    verifier = build(tmp_path_factory.mktemp("verifier"))
    said = verdict(verifier, "proof", "-vkey", key, file, write(tmp_path / "entry", extra))
    assert (said["ok"], said["origin"]) == (True, "ledger.example/civic")
    wrong = write(tmp_path / "wrong", extra.replace(b'"no"', b'"na"'))
    assert not verdict(verifier, "proof", "-vkey", key, file, wrong)["ok"]

    nowhere = environment(tmp_path / "years later")  # no log, no store, no key
    said_ = civic_ledger(nowhere, "receipt", "verify", str(file), "--vkey", key, "--json").stdout
    told = orjson.loads(said_)
    assert (told["position"], told["origin"]) == (position, "ledger.example/civic")
    assert told["entry"]["data"]["answer"]["marks"] == {"no": 1}
    assert (
        f"at position {position:,}"
        in civic_ledger(nowhere, "receipt", "verify", str(file), "--vkey", key).stdout
    )
    assert not (tmp_path / "years later").exists(), "it reads and writes nothing else"
    policy = write(tmp_path / "policy", f"log {key}\nquorum none\n".encode())
    civic_ledger(nowhere, "receipt", "verify", str(file), "--policy", str(policy))

    other = SigningKey("ledger.example/civic", bytes(32)).verifier.vkey
    for tampered, keys in (
        (data.replace(b"index ", b"index 1"), key),
        (data[:-3] + data[-2:], key),
        (data.partition(b"\n")[0] + b"\n" + data.partition(b"\n")[2].partition(b"\n")[2], key),
        (data, other),
    ):
        bad = str(write(tmp_path / "bad", tampered))
        told_ = civic_ledger(nowhere, "receipt", "verify", bad, "--vkey", keys, exit_code=1)
        assert "NOT PROVEN" in told_.stderr
        assert not told_.stdout
    witnessed = write(tmp_path / "policy", f"witness w {WITNESS.vkey}\nquorum w\n".encode())
    arguments = ("receipt", "verify", str(file), "--vkey", key, "--policy", str(witnessed))
    assert "of 1 witnesses, 0 cosigned" in civic_ledger(nowhere, *arguments, exit_code=1).stderr
    usage = civic_ledger(nowhere, "receipt", "verify", str(file), "--vkey", "x", exit_code=2)
    assert "verifier key" in usage.stderr
    assert (
        "no signing key"
        in civic_ledger(nowhere, "receipt", "verify", str(file), exit_code=3).stderr
    )


WITNESS = SigningKey("w.example", bytes(range(32)), type_=4).verifier  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "question", "status", "name"),
    [
        (None, "plain", 401, "token-missing"),
        ("operator", "plain", 403, "not-allowed"),
        ("works", "plain", 403, "not-allowed"),
        ("dora", "plain", 404, "not-found"),
        ("dora", "nothing", 404, "not-found"),
    ],
)
def test_a_receipt_is_ones_own(
    town: Town, who: str | None, question: str, status: int, name: str
) -> None:
    for ending in ("", ".json"):
        answer = town.client.get(path_of(question) + ending, headers=town.bearer(who))
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{name}")


def test_before_a_checkpoint_covers_it_it_is_not_there(town: Town, tmp_path: Path) -> None:
    covered = parse_proof(receipt(town, "ben", "decided").content)
    receipts = Receipts(town.system)
    receipts._public = PublicFolder(tmp_path)
    with pytest.raises(NotCovered, match=f"position {covered.index + 1}"):
        receipts.of_choice(town.citizens["ben"], "decided")
    (tmp_path / "checkpoint").write_bytes(covered.checkpoint)
    (record,) = town.system.log.select(EVERYTHING, after=town.system.log.head() - 1)
    assert record.position > 1
    with pytest.raises(NotCovered):
        receipts.of(record._replace(position=10**6))


def test_over_http_it_says_when_to_ask_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt(town, "ben", "decided")
    monkeypatch.setattr(PublicFolder, "checkpoint", lambda self: None)
    for ending in ("", ".json"):
        answer = town.client.get(path_of("decided") + ending, headers=town.bearer("ben"))
        assert (answer.status_code, answer.headers["retry-after"]) == (404, "1")
        assert answer.json()["type"] == "/problems/not-published-yet"


def test_damaged_tiles_give_no_receipt(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt(town, "ben", "decided")
    monkeypatch.setattr(PublicFolder, "tile", lambda self, tile: bytes(32 * tile.width))
    with pytest.raises(Unverified):
        Receipts(town.system).of_choice(town.citizens["ben"], "decided")


def test_counted_decided_and_implemented(town: Town) -> None:
    told = followed(town, "ben", "decided")
    assert (told["what"], told["marks"], told["counted_from"]) == ("made", {"yes": 1}, told["at"])
    assert (told["counted_until"], told["ended_by"]) == (None, None)
    (decision,) = told["decisions"]
    assert decision["at"] > told["at"]
    assert (decision["counted"], decision["adopted"], decision["rule"]) == (
        True,
        ["yes"],
        "plurality",
    )
    (outcome,) = told["outcomes"]
    assert (outcome["option"], outcome["stage"], outcome["percent"]) == ("yes", "under-way", 40)
    assert told["checkpoint"] >= told["at"]
    assert told["vkey"] == vkey(town).vkey
    proof = parse_proof(told["proof"].encode())
    assert proof.extra is not None
    verify_proof(proof, proof.extra, [vkey(town)])


def test_a_choice_that_changed_counted_until_then(town: Town) -> None:
    first = town.choose("cleo", "plain", {"yes": 1})
    old = receipt(town, "cleo", "plain", first.json()["position"]).content
    second = town.choose("cleo", "plain", {"no": 1}).json()["position"]
    third = town.client.request(
        "DELETE", "/api/v1/questions/plain/choice", headers=town.bearer("cleo")
    ).json()["position"]
    receipt(town, "cleo", "plain", third)
    town.read("areas", wait_for=third)
    told = followed(town, "cleo", "plain")
    assert (told["what"], told["at"], told["counted_from"], told["marks"]) == (
        "withdrawn", third, None, None,
    )  # fmt: skip
    receipts = Receipts(town.system)
    before = receipts.followed(receipts.verified(old))
    assert (before.counted_from, before.counted_until) == (first.json()["position"], second)
    assert before.ended_by == "changed"


def test_in_which_decisions_a_choice_was_counted(town: Town) -> None:
    def decide() -> None:
        town.system.ledger.execute(
            RecordDecision(question="mandate/07", adopted=("works",), reason="For now.")
        )

    receipts = Receipts(town.system)
    decide()
    town.choose("dora", "mandate/07", {"works": 1})
    made = parse_proof(receipt(town, "dora", "mandate/07").content).encode()
    decide()
    path = "/api/v1/questions/mandate/07/choice"
    ended = town.client.request("DELETE", path, headers=town.bearer("dora")).json()["position"]
    decide()
    withdrawn = receipt(town, "dora", "mandate/07", ended).content
    counted = [
        [one.counted for one in receipts.followed(receipts.verified(data)).decisions]
        for data in (made, withdrawn)
    ]
    assert counted == [[False, True, False], [False, False, False]]


def test_a_choice_that_lapsed(town: Town) -> None:
    position = town.choose("ada", SLASHES, {"no": 1}).json()["position"]
    receipt(town, "ada", SLASHES, position)
    town.system.ledger.execute(MoveCitizen(citizen=town.citizens["ada"], home="t"))
    head = town.system.log.head()
    town.read("areas", wait_for=head)
    receipt(town, "ada", SLASHES, position + 1)
    told = followed(town, "ada", SLASHES)
    assert (told["what"], told["counted_from"]) == ("lapsed", None)


def test_a_sealed_choice_shows_no_marks(town: Town) -> None:
    told = followed(town, "ben", "sealed")
    assert (told["marks"], told["counted_from"]) == (None, told["at"])
    assert '"no"' not in told["proof"]
