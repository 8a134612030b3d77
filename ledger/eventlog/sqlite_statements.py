"""The statements of the SQLite log, one name and one line of purpose each (its tables: `sqlite_log.sql`)."""

from functools import lru_cache

from ledger.eventlog.port import Selection
from ledger.eventlog.sqlite_keys import tag_key, type_key

HEAD = "SELECT coalesce(max(position), 0) FROM records"
POSITION_OF = "SELECT position FROM records WHERE id = ?"
POSITIONS_OF = "SELECT id, position FROM records WHERE id IN (SELECT value FROM json_each(?))"
RECORDS = "records (position, id, type, entry, tags)"
TAGS = "tags (tag, type, position)"

Shape = tuple[int, int]
"""The numbers of types and of tags in a selection."""


def values_of(selection: Selection, after: int) -> list[str | int]:
    """The values of `positions_of`, in their order."""
    types, tags = selection
    if not tags:
        return [value for one in types for value in (one, after)] if types else [after]
    first, *others = map(tag_key, tags)
    if not types:
        return [first, after, *others]
    return [value for one in types for value in (first, type_key(one), after, *others)]


def positions_of(shape: Shape) -> str:
    """The positions that a selection may cover (see `sqlite_keys`): one seek into an index for each of its types.

    (With `type IN (…)` SQLite 3.40 takes ten times as long as soon as a statement has several of them.)
    """
    types, tags = shape
    table = "tags t" if tags else "records t"
    of_tag = "t.tag = ? AND " if tags else ""
    of_type = "t.type = ? AND " if types else ""
    other = " AND EXISTS (SELECT 1 FROM tags o WHERE (o.tag, o.type, o.position) = (?, t.type, t.position))"
    one = f"SELECT t.position FROM {table} WHERE {of_tag}{of_type}t.position > ?"
    return " UNION ALL ".join([one + other * (tags - 1)] * (types or 1))


@lru_cache
def select(shape: tuple[Shape, ...]) -> str:
    columns = "SELECT r.position, r.type, r.entry, r.tags FROM"
    if shape == ((0, 0),):
        return f"{columns} records r WHERE position > ? ORDER BY position LIMIT ?"
    positions = " UNION ALL ".join(map(positions_of, shape))
    if len(shape) > 1:  # one event may be covered by several selections
        positions = f"SELECT DISTINCT position FROM ({positions})"
    return (
        f"{columns} ({positions}) p CROSS JOIN records r ON r.position = p.position"
        " ORDER BY p.position LIMIT ?"
    )


@lru_cache
def select_each(types: int) -> str:
    """What may be the records of many tags, of so many types; `key` is the tag's place in the JSON array given."""
    of_types = ", ".join(["(?)"] * types)
    return (
        "SELECT j.key, r.position, r.type, r.entry, r.tags FROM json_each(?) j"
        f" CROSS JOIN (VALUES {of_types}) y"
        " CROSS JOIN tags t ON t.tag = j.value AND t.type = y.column1"
        " CROSS JOIN records r ON r.position = t.position ORDER BY r.position"
    )


@lru_cache
def latest_each(types: int) -> str:
    """As `select_each`, but only the last record of each tag."""
    last = "coalesce((SELECT max(position) FROM tags WHERE tag = j.value AND type = ?), 0)"
    return (
        "SELECT j.key, r.position, r.type, r.entry, r.tags FROM json_each(?) j"
        f" CROSS JOIN records r ON r.position = max(0, {', '.join([last] * types)})"
    )


@lru_cache
def exists_each(types: int) -> str:
    """Which of many `[tag, position]`, a JSON array, may have an event of one of so many types after that: by `key`."""
    after = (
        "EXISTS (SELECT 1 FROM tags WHERE tag = json_extract(j.value, '$[0]') AND type = ?"
        " AND position > json_extract(j.value, '$[1]'))"
    )
    return f"SELECT j.key FROM json_each(?) j WHERE {' OR '.join([after] * types)}"
