"""The SQL of a generation's tables, as SQLite and PostgreSQL understand it alike, with `?` for values.

The names of tables and columns come from `Table`s, which are constants of the projections.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from projections.projection import Table


class Dialect(NamedTuple):
    """In what the stores differ: the types of columns, and what stands behind a table's columns."""

    text: str
    whole: str
    tail: str


def physical(name: str, generation: int) -> str:
    """What a table is called in one generation. Readers call it by its plain name, a view."""
    return f"{name}_g{generation}"


def schema(table: Table, generation: int, dialect: Dialect) -> Iterator[str]:
    name = physical(table.name, generation)
    columns = [
        f"{column} {dialect.whole if column in table.whole else dialect.text}"
        for column in table.columns
    ]
    key = ", ".join(table.key)
    yield f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({key})) {dialect.tail}"
    for index in table.indexes:
        yield f"CREATE INDEX {name}_by_{'_'.join(index)} ON {name} ({', '.join(index)})"


@cache
def columns_of(table: Table, generation: int) -> str:
    """The table and its columns, as an INSERT names them."""
    return f"{physical(table.name, generation)} ({', '.join(table.columns)})"


@cache
def insert(table: Table, generation: int) -> str:
    return f"INSERT INTO {columns_of(table, generation)} VALUES ({', '.join('?' * len(table.columns))})"


@cache
def put(table: Table) -> str:
    """Behind an INSERT: a row that is there already takes the new values."""
    if not table.values:
        return f" ON CONFLICT ({', '.join(table.key)}) DO NOTHING"
    return _on_conflict(table, ", ".join(f"{one} = excluded.{one}" for one in table.values))


@cache
def add(table: Table, generation: int) -> str:
    """Behind an INSERT: the new values are added to those of a row that is there already."""
    name = physical(table.name, generation)
    return _on_conflict(
        table, ", ".join(f"{one} = {name}.{one} + excluded.{one}" for one in table.values)
    )


@cache
def delete(table: Table, generation: int) -> str:
    return f"DELETE FROM {physical(table.name, generation)} WHERE {_is(table.key)}"


@cache
def one(table: Table, generation: int) -> str:
    columns = ", ".join(table.values) or "1"
    return f"SELECT {columns} FROM {physical(table.name, generation)} WHERE {_is(table.key)}"


@cache
def beginning(table: Table, generation: int) -> str:
    columns = ", ".join(table.columns)
    name = physical(table.name, generation)
    return f"SELECT {columns} FROM {name} WHERE {_is(table.key[:1])}"


def everything(table: Table) -> str:
    """All rows that readers see, in the order of their keys."""
    return f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"


def _on_conflict(table: Table, change: str) -> str:
    return f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {change}"


def _is(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)
