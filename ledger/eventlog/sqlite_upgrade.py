"""Files that earlier versions wrote, brought up to date. Entries stay as they are, to the byte."""

import logging
import sqlite3

import orjson

from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.sqlite_keys import tag_key, type_key
from ledger.sqlite_rows import insert_rows

UPGRADABLE = frozenset({1})
"""Versions of the schema from which `upgrade` goes to the present one."""

_PAGE = 10_000
_RECORDS = "SELECT position, type, tags FROM records WHERE position > ? ORDER BY position LIMIT ?"

_logger = logging.getLogger(__name__)


def upgrade(writer: sqlite3.Connection, schema: str) -> None:
    """From version 1, where the index of tags held their texts. Within a transaction: all of it or nothing."""
    _logger.warning("the log is of an earlier version: its index of tags is made anew")
    writer.execute("DROP TABLE tags")
    writer.execute(next(one for one in schema.split(";;") if "CREATE TABLE tags" in one))
    after = 0
    while records := writer.execute(_RECORDS, (after, _PAGE)).fetchall():
        tags = [
            (tag, type_key(type_), position)
            for position, type_, tagged in records
            for tag in set(map(tag_key, orjson.loads(tagged)))
        ]
        insert_rows(writer, statements.TAGS, tags)
        after = records[-1][0]
