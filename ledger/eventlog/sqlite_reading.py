"""Reading records from a SQLite log. What its index finds is compared with what was asked for (see `sqlite_keys`)."""

import sqlite3
from collections.abc import Callable, Sequence

import orjson

from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.port import Record, Selection
from ledger.eventlog.sqlite_keys import tag_key, type_key


def select(
    reader: sqlite3.Connection,
    selections: Sequence[Selection],
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[Record]:
    """The records above `after` that one of the selections covers, in order, at most `limit`."""
    sql = statements.select(tuple((len(one.types), len(one.tags)) for one in selections))
    values = [value for one in selections for value in statements.values_of(one, after)]
    values.append(-1 if limit is None else limit)
    candidates = [
        Record(position, type_, entry, tuple(orjson.loads(tags)))
        for position, type_, entry, tags in reader.execute(sql, values)
    ]
    if not any(tags for _, tags in selections):
        return candidates
    covered = {
        one.position: one
        for one in candidates
        if any(selection.covers(one.type, one.tags) for selection in selections)
    }
    found = list(covered.values())
    others = len(candidates) - len(found)
    if others and len(candidates) == limit:
        found += select(reader, selections, after=candidates[-1].position, limit=others)
    return found


def select_each(reader: sqlite3.Connection, selections: Sequence[Selection]) -> list[list[Record]]:
    """The records of each selection."""
    return _each(reader, selections, statements.select_each)


def latest_each(reader: sqlite3.Connection, selections: Sequence[Selection]) -> list[list[Record]]:
    """The last record of each selection, where it has one."""
    return [records[-1:] for records in _each(reader, selections, statements.latest_each)]


def _each(
    reader: sqlite3.Connection,
    selections: Sequence[Selection],
    statement: Callable[[int], str],
) -> list[list[Record]]:
    """Each selection's records by a statement that takes one tag and so many types; where it errs, all of them."""
    found: list[list[Record]] = [[] for _ in selections]
    alone: set[int] = set()
    """What has to be read by itself."""
    of_types: dict[tuple[str, ...], dict[int, int]] = {}
    for index, (types, tags) in enumerate(selections):
        if types and len(tags) == 1:
            of_types.setdefault(types, {})[index] = tag_key(tags[0])
        else:
            alone.add(index)
    for types, wanted in of_types.items():
        keys, indexes = orjson.dumps(list(wanted.values())).decode(), list(wanted)
        rows = reader.execute(statement(len(types)), (keys, *map(type_key, types)))
        for key, position, type_, entry, tags in rows:
            index, record = indexes[key], Record(position, type_, entry, tuple(orjson.loads(tags)))
            if record in found[index][-1:] or not selections[index].covers(type_, record.tags):
                alone.add(index)
            found[index].append(record)
    for index in alone:
        found[index] = select(reader, (selections[index],))
    return found
