"""The numbers that stand for tags and types in the index of a SQLite log.

Two names may have the same number, by chance or since somebody looked for them: what is found by numbers has to be
compared with what was asked for.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

_REMEMBERED = 16_384


@lru_cache(_REMEMBERED)
def tag_key(tag: str) -> int:
    """The first 64 bits of the tag's BLAKE2b, signed as SQLite has them."""
    return int.from_bytes(blake2b(tag.encode(), digest_size=8).digest(), "big", signed=True)


@lru_cache
def type_key(type_: str) -> int:
    """The first 32 bits of the type's BLAKE2b, signed: there are few types."""
    return int.from_bytes(blake2b(type_.encode(), digest_size=4).digest(), "big", signed=True)


def index_rows(records: Iterable[tuple[int, str, Sequence[str]]]) -> list[tuple[int, int, int]]:
    """What stands in the index (tag, type, position) for records of these positions, types and tags."""
    return [
        (tag, type_key(type_), position)
        for position, type_, tags in records
        for tag in set(map(tag_key, tags))
    ]
