"""The contract of the store of read models, on every store there is."""

import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from projections.stores.port import Store, StoreTooNew, StoreUnavailable
from projections.stores.postgres import PostgresStore
from projections.stores.sqlite import SQLiteStore
from tests.contracts.places import PLACES, notes, write
from tests.contracts.store import StoreContract
from tests.contracts.store_lasting import LastingStoreContract
from tests.postgres import Server


class TestSQLiteInMemory(StoreContract):
    def open_store(self, place: Any) -> Store:
        return SQLiteStore(None)


class TestSQLite(StoreContract, LastingStoreContract):
    def open_store(self, place: Any) -> Store:
        return SQLiteStore(place)

    def test_a_store_of_before_there_were_generations_is_made_anew(self, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "old.sqlite") as old:
            old.execute("CREATE TABLE models (model TEXT PRIMARY KEY, version, position)")
            old.execute("CREATE TABLE note (id)")
        store = SQLiteStore(tmp_path / "old.sqlite")
        assert store.prepare(PLACES).position == 0
        assert notes(store) == []
        store.close()

    def test_a_store_laid_out_by_a_newer_program_is_refused(self, tmp_path: Path) -> None:
        SQLiteStore(tmp_path / "new.sqlite").close()
        with sqlite3.connect(tmp_path / "new.sqlite") as new:
            new.execute("UPDATE layout SET version = 9")
        with pytest.raises(StoreTooNew, match="version 9; this program knows version 1"):
            SQLiteStore(tmp_path / "new.sqlite")


class TestPostgreSQL(StoreContract, LastingStoreContract):
    @pytest.fixture
    def place(self, postgres_server: Server) -> Any:
        return postgres_server.new_schema()

    def open_store(self, place: Any) -> Store:
        return PostgresStore(place)

    def test_a_server_that_cannot_be_reached(self, postgres_server: Server) -> None:
        url = postgres_server.url().replace(f":{postgres_server.port}", ":1")
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1, database postgres") as told:
            PostgresStore(url.replace("postgres@", "postgres:secret@"))
        assert "secret" not in str(told.value)

    def test_a_switch_gives_way_to_readers_and_comes_through(self, place: Any) -> None:
        """A long read holds the switch up, but no other reader behind it."""
        store = PostgresStore(place)
        store.prepare(PLACES)
        new = store.rebuild(PLACES)
        with store.snapshot() as at:
            before = at.rows("SELECT count(*) FROM note")
            switch = threading.Thread(target=store.go_live, args=(new,))
            switch.start()
            for _ in range(20):
                assert notes(store) == []
            assert before == at.rows("SELECT count(*) FROM note")
            assert switch.is_alive()
        switch.join(timeout=30)
        assert store.prepare(PLACES).number == new.number
        store.close()

    def test_connections_that_broke_while_they_were_idle(
        self, place: Any, postgres_server: Server
    ) -> None:
        """Readers do not notice; of writers, one does."""
        store = PostgresStore(place)
        generation = store.prepare(PLACES)
        for broken_by in (notes, lambda store: write(store, generation, 1, ("a", "one", None))):
            with ExitStack() as stack:
                for _ in range(5):
                    stack.enter_context(store.snapshot())
            postgres_server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'civic-ledger'"
            )
            if broken_by is not notes:
                with pytest.raises(StoreUnavailable):
                    broken_by(store)
            broken_by(store)
        assert notes(store) == [("a", "one")]
        store.close()
