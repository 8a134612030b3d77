"""Files that earlier versions wrote, brought up to date. Entries stay as they are, to the byte."""

import logging
import sqlite3

import orjson

from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.sqlite_keys import index_rows
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
        tags = index_rows((at, type_, orjson.loads(tagged)) for at, type_, tagged in records)
        insert_rows(writer, statements.TAGS, tags)
        after = records[-1][0]
