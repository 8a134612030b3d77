"""Receipts: proof that an entry stands in the log, and what has become of the choice in it so far.

The proof is a `.tlog-proof` file with the entry in its `extra` line (C2SP tlog-proof): with the ledger's vkey, and its
policy of witnesses where there is one, it verifies for ever, without asking anybody. What became of the choice
is of today, and comes from the log and the read models.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ledger.codec import decode
from ledger.domain.choices import (
    CHOICE_TYPES,
    ChoiceChanged,
    ChoiceEvent,
    ChoiceMade,
    ChoiceWithdrawn,
    standing_after,
)
from ledger.domain.outcomes import DecisionRecorded
from ledger.domain.transparency import checkpoint_keys
from ledger.eventlog.port import Record, Selection
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.errors import Unverified
from ledger.transparency.keys import VerifierKey
from ledger.transparency.merkle import inclusion_proof, leaf_hash, verify_inclusion
from ledger.transparency.note import parse_note
from ledger.transparency.proof import LogProof, parse_proof, verify_proof
from ledger.transparency.tiles import TileReader
from projections.answers import Answer, OutcomeView
from projections.answers.base import Part
from projections.queries import NotFound
from projections.tree.folder import VKEY_PATH, PublicFolder
from services.assembly import System

What = Literal["made", "changed", "withdrawn", "lapsed"]


class NotCovered(Exception):
    """No checkpoint covers the entry yet. Ask again in a second."""


class Receipt(NamedTuple):
    """An entry and the proof that it stands in the log."""

    position: int
    entry: bytes
    proof: LogProof
    checkpoint: Checkpoint


class CountedIn(Part):
    """A decision, and whether this very choice was standing, and so counted, when it was taken."""

    at: int
    time: str
    counted: bool
    rule: str | None
    adopted: list[str]
    tied: list[str]
    reason: str


class Followed(Answer):
    """What has become of a choice so far: counted, then decided, then implemented.

    It counts from `counted_from` until `counted_until`, where a later event of the same voter stands (null: to this
    day); a choice that was withdrawn or lapsed counts no more. `checkpoint` is how many entries the checkpoint covers.
    """

    at: int
    time: str
    question: str
    title: str
    what: What
    area: str | None
    marks: dict[str, int] | None
    counted_from: int | None
    counted_until: int | None
    ended_by: What | None
    decisions: list[CountedIn]
    outcomes: list[OutcomeView]
    origin: str
    checkpoint: int
    vkey: str | None


class Receipts:
    """Makes receipts from the public files of a system, and follows what became of them. From any thread."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._public: PublicFolder = system.public

    def of_choice(self, citizen: str, question: str) -> Receipt:
        """The receipt of what a citizen chose last on a question. Raises `NotFound`, `NotCovered`."""
        voter = self._system.vault.pseudonym(citizen, f"question/{question}")
        (found,) = self._system.log.latest_each([_of(voter)])
        if not found:
            raise NotFound(f"You have not chosen anything on the question {question!r}.")
        return self.of(found[0])

    def of(self, record: Record) -> Receipt:
        """The receipt of any entry. Raises `NotCovered`."""
        data = self._public.checkpoint()
        checkpoint = None if data is None else parse_checkpoint(parse_note(data).text)
        if data is None or checkpoint is None or checkpoint.size < record.position:
            raise NotCovered(
                f"The entry stands at position {record.position}; the next checkpoint covers it."
            )
        index, size = record.position - 1, checkpoint.size
        hashes = inclusion_proof(index, size, TileReader(size, self._public.tile))
        # What damaged tiles give must not leave the house.
        verify_inclusion(leaf_hash(record.entry), index, size, hashes, checkpoint.head)
        proof = LogProof(index, tuple(hashes), data, record.entry)
        return Receipt(record.position, record.entry, proof, checkpoint)

    def verified(self, data: bytes) -> Receipt:
        """The receipt in a file, which one of the ledger's keys has signed. Raises `Malformed`, `Unverified`."""
        proof = parse_proof(data)
        if proof.extra is None:
            raise Unverified("the file holds no entry, so it proves nothing that could be shown")
        signed = verify_proof(proof, proof.extra, self.known_keys())
        return Receipt(proof.index + 1, proof.extra, proof, signed.checkpoint)

    def known_keys(self) -> Sequence[VerifierKey]:
        """The ledger's keys, the current one first: as the public folder and the log name them."""
        vkeys = [*reversed(self._system.ledger.facts().about(checkpoint_keys()).vkeys)]
        current = self.vkey()
        named = vkeys if current is None else [current, *vkeys]
        return [VerifierKey.parse(one) for one in dict.fromkeys(named)]

    def vkey(self) -> str | None:
        """The key that signs now; None before there is a checkpoint."""
        data = self._public.read(VKEY_PATH)
        return None if data is None else data.decode("ascii").rstrip("\n")

    def followed(self, receipt: Receipt) -> Followed:
        """What has become of the choice in a receipt. Raises `NotFound` for an entry that is no choice."""
        entry = decode(receipt.entry)
        event = entry.event
        if not isinstance(event, ChoiceEvent):
            raise NotFound(
                "This entry is not a choice: nothing is counted, decided or implemented by it."
            )
        view = self._system.queries.question(event.question)
        later = self._later(event.voter, receipt.position)
        ends = None if later is None else later.position
        answer = standing_after(event)
        return Followed(
            position=view.position,
            at=receipt.position,
            time=entry.time,
            question=event.question,
            title=view.title,
            what=_what(event),
            area=None if answer is None else answer.area,
            marks=None if answer is None or answer.marks is None else dict(answer.marks),
            counted_from=None
            if answer is None or view.position < receipt.position
            else receipt.position,
            counted_until=ends,
            ended_by=None if later is None else _what(decode(later.entry).event),
            decisions=self._decisions(event.question, receipt.position, ends, answer is not None),
            outcomes=view.outcomes,
            origin=receipt.checkpoint.origin,
            checkpoint=receipt.checkpoint.size,
            vkey=self.vkey(),
        )

    def _later(self, voter: str, position: int) -> Record | None:
        found = self._system.log.select([_of(voter)], after=position, limit=1)
        return found[0] if found else None

    def _decisions(
        self, question: str, position: int, ends: int | None, counts: bool
    ) -> list[CountedIn]:
        """The decisions on a question, and in which of them a choice that stood between two positions counted."""
        selection = Selection((DecisionRecorded.type,), (f"question:{question}",))
        found = []
        for record in self._system.log.select([selection]):
            entry = decode(record.entry)
            assert isinstance(entry.event, DecisionRecorded)
            rule = entry.event.rule
            found.append(
                CountedIn(
                    at=record.position,
                    time=entry.time,
                    counted=counts and position < record.position < (ends or record.position + 1),
                    rule=None if rule is None else rule.name,
                    adopted=list(entry.event.adopted),
                    tied=list(entry.event.tied),
                    reason=entry.event.reason,
                )
            )
        return found


def _of(voter: str) -> Selection:
    return Selection(CHOICE_TYPES, (f"voter:{voter}",))


def _what(event: object) -> What:
    match event:
        case ChoiceMade():
            return "made"
        case ChoiceChanged():
            return "changed"
        case ChoiceWithdrawn():
            return "withdrawn"
        case _:
            return "lapsed"
