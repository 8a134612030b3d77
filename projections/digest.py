"""A read model's digest: SHA-256 over its rows, so that two replays can be compared in one line.

Each row is one line of canonical JSON, `[table, key…, value…]`; tables come in the order of their names, rows
in the order of their keys (bytes of UTF-8), and whole numbers by size.
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


def digest(store: Store, projection: Projection) -> Digest:
    hashed = sha256()
    with store.contents(projection) as (position, rows):
        for row in rows:
            hashed.update(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return Digest(position, hashed.hexdigest())
