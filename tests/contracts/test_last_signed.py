"""The contract of the last-signed store, on every store there is, and how each fails."""

from pathlib import Path
from typing import Any

import pytest

from projections.tree.last_signed import LastSigned, LastSignedUnavailable, SQLiteLastSigned
from projections.tree.last_signed_postgres import PostgresLastSigned
from tests.contracts.last_signed import ONE, TWO, LastSignedContract
from tests.postgres import Server


class TestSQLite(LastSignedContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Any:
        return tmp_path / "signed.sqlite"

    def open_store(self, place: Any) -> LastSigned:
        return SQLiteLastSigned(place)

    def test_a_file_of_another_kind(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"not a database " * 100)
        with pytest.raises(LastSignedUnavailable, match="x: file is not a database"):
            SQLiteLastSigned(tmp_path / "x")

    def test_a_commit_is_on_the_disk_with_its_folder(self, place: Path) -> None:
        store = SQLiteLastSigned(place)
        (level,) = store._connection.execute("PRAGMA synchronous").fetchone()
        assert level == 3, "EXTRA"
        store.close()


class TestPostgreSQL(LastSignedContract):
    @pytest.fixture
    def place(self, postgres_server: Server) -> Any:
        return postgres_server.new_schema()

    def open_store(self, place: Any) -> LastSigned:
        store = PostgresLastSigned(place)
        for _ in range(20):  # of several that make the table at the same time one may lose
            try:
                store.read("a")
            except LastSignedUnavailable:
                continue
            break
        return store

    def test_a_server_that_cannot_be_reached(self, postgres_server: Server) -> None:
        url = postgres_server.url().replace(f":{postgres_server.port}", ":1")
        store = PostgresLastSigned(url.replace("postgres@", "postgres:secret@"))
        with pytest.raises(LastSignedUnavailable, match="OperationalError") as told:
            store.read("a")
        assert "secret" not in str(told.value)

    def test_a_lost_connection_is_made_anew(self, place: Any) -> None:
        store = PostgresLastSigned(place)
        assert store.advance("a", None, ONE)
        assert store._connection is not None
        store._connection.close()
        with pytest.raises(LastSignedUnavailable):
            store.advance("a", ONE, TWO)
        assert store.read("a") == ONE
        assert store.advance("a", ONE, TWO)
        store.close()

    def test_an_answer_waits_for_the_disk(self, place: Any, postgres_server: Server) -> None:
        postgres_server.execute("ALTER ROLE postgres SET synchronous_commit = off")
        try:
            store = PostgresLastSigned(place)
            store.read("a")
            assert store._connection is not None
            row = store._connection.execute("SHOW synchronous_commit").fetchone()
            assert row == ("on",)
            store.close()
        finally:
            postgres_server.execute("ALTER ROLE postgres RESET synchronous_commit")
