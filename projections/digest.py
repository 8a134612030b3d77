"""A read model's digest: SHA-256 over its rows, so that two replays can be compared in one line.

`docs/digest.md` says how to compute it without this program.
"""

from hashlib import sha256
from typing import NamedTuple

import orjson

from projections.projection import Projection
from projections.stores.port import Store


class Digest(NamedTuple):
    """The digest of a model's content, in hex, and the position that the content stands for."""

    position: int
    digest: str


def digest(store: Store, projection: Projection, *, with_personal: bool = False) -> Digest:
    """The digest of what an erasure leaves; `with_personal`: of all rows, to compare two replays of one's own."""
    hashed = sha256()
    with store.contents(projection, with_personal=with_personal) as (position, rows):
        for row in rows:
            hashed.update(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return Digest(position, hashed.hexdigest())
