"""Receipts over HTTP: one's own, as a file that proves a choice, and as what has become of it."""

from typing import Annotated, Any

from fastapi import FastAPI, Path
from starlette.requests import Request
from starlette.responses import Response

from ledger.transparency.proof import FILE_EXTENSION
from services.api.access import Access
from services.api.documenting import API, needs_token, problems_of
from services.api.public import not_published
from services.api.reading import Reading
from services.errors import RequestFault
from services.receipts import Followed, NotCovered, Receipt, Receipts

PROOF_TYPE = "text/plain; charset=utf-8"
"""C2SP tlog-proof registers none; the file is lines of text."""

QuestionId = Annotated[
    str, Path(min_length=1, description="The question's id; it may hold slashes.")
]
_RECEIPT = f"{API}/questions/{{question:path}}/choice/receipt"
_STATUSES = (401, 403, 404, 422, 503)


class FollowedReceipt(Followed):
    """A receipt, and what has become of the choice in it. `proof` is the file's text."""

    proof: str


def add_receipts(app: FastAPI, receipts: Receipts, reading: Reading, access: Access) -> None:
    """Add the routes. They stand before `/questions/{question}`, since an id may hold slashes."""

    async def own(request: Request, question: str) -> Receipt:
        citizen = access.of_role(request, "citizen").subject
        try:
            return await reading.run(lambda: receipts.of_choice(citizen, question))
        except NotCovered as error:
            raise _not_yet(error) from error

    @app.get(
        _RECEIPT,
        response_class=Response,
        **_documented({"content": {"text/plain": {"schema": {"type": "string"}}}}),
    )
    async def receipt(request: Request, question: QuestionId) -> Response:
        """Proof of what one chose last on a question, to keep: a `.tlog-proof` file, as soon as a checkpoint covers it.

        Until then the answer is 404 with `Retry-After`. `civic-ledger receipt verify` and others' tools verify it.
        """
        found = await own(request, question)
        name = f"receipt-{found.position}{FILE_EXTENSION}"
        headers = {
            "Content-Type": PROOF_TYPE,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        return Response(found.proof.encode(), headers=headers)

    @app.get(f"{_RECEIPT}.json", response_model=FollowedReceipt, **_documented())
    async def followed(request: Request, question: QuestionId) -> Response:
        """The same proof, with what has become of the choice so far: counted, decided, implemented."""
        found = await own(request, question)
        told = await reading.run(lambda: receipts.followed(found))
        answer = FollowedReceipt(**told.model_dump(), proof=found.proof.encode().decode())
        return Response(
            answer.model_dump_json(),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )


def _documented(answer: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "responses": ({200: answer} if answer else {}) | problems_of(*_STATUSES),
        "openapi_extra": {"security": needs_token()},
        "tags": ["choice"],
    }


def _not_yet(error: NotCovered) -> RequestFault:
    return not_published(str(error))
