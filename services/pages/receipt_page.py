"""The page of receipts: how to get one, what a pasted one proves, and what became of the choice in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request

from ledger.transparency.errors import Malformed, Unverified
from projections.queries import NotFound
from services.receipts import Followed, Receipt, Receipts

FIELD = "receipt"

ENDED = {
    "changed": "It was changed",
    "withdrawn": "It was withdrawn",
    "lapsed": "It lapsed, because the voter left the electorate",
    "made": "It was made anew",
}


@dataclass(frozen=True)
class Marked:
    """An option that the choice marks."""

    title: str
    mark: int
    adopted: bool


@dataclass(frozen=True)
class ReceiptPage:
    """`wrong` says why a pasted receipt proves nothing; `receipt` is one that does."""

    vkey: str | None
    pasted: str = ""
    wrong: str | None = None
    receipt: Receipt | None = None
    entry: str = ""
    followed: Followed | None = None
    options: list[Marked] = field(default_factory=list)
    ended: str | None = None


async def pasted(request: Request) -> str:
    """The receipt in a form, with the line ends that it had before it went through one."""
    body = (await request.body()).decode("utf-8", "replace")
    text = parse_qs(body, keep_blank_values=True, max_num_fields=5).get(FIELD, [""])[0]
    return text.replace("\r\n", "\n").strip("\n") + "\n"


def empty_page(receipts: Receipts) -> ReceiptPage:
    """The page before anything is pasted."""
    return ReceiptPage(receipts.vkey())


def receipt_page(
    receipts: Receipts, text: str, titles: Callable[[str], dict[str, str]]
) -> ReceiptPage:
    """The page of a pasted receipt; `titles` gives the titles of a question's options."""
    vkey = receipts.vkey()
    try:
        receipt = receipts.verified(text.encode())
    except (Malformed, Unverified) as error:
        return ReceiptPage(vkey, text, wrong=str(error))
    entry = orjson.dumps(orjson.loads(receipt.entry), option=orjson.OPT_INDENT_2).decode()
    try:
        found = receipts.followed(receipt)
    except NotFound:  # a true receipt, of something else than a choice
        return ReceiptPage(vkey, text, None, receipt, entry)
    named = titles(found.question)
    adopted = found.decisions[-1].adopted if found.decisions else []
    options = [
        Marked(named.get(option, option), mark, option in adopted)
        for option, mark in (found.marks or {}).items()
    ]
    ended = None if found.ended_by is None else ENDED[found.ended_by]
    return ReceiptPage(vkey, text, None, receipt, entry, found, options, ended)
