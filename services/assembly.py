"""Where the parts are put together: the only place that chooses adapters."""

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.eventlog.kafka_address import SCHEME, Address
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EventLog
from ledger.eventlog.sqlite import SQLiteLog
from ledger.recording import Ledger
from ledger.vault.keys import KEY_BYTES, master_key
from ledger.vault.vault import Vault
from projections.catalogue import all_projections
from projections.queries import Queries
from projections.stores.port import Store, StoreUnavailable
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from services.settings import POSTGRES, Settings, path_of, sign_in
from services.steward import Steward


@dataclass(frozen=True, slots=True)
class System:
    """The running parts of one process."""

    settings: Settings
    log: EventLog
    vault: Vault
    ledger: Ledger
    store: Store
    worker: Worker
    queries: Queries
    steward: Steward


@contextmanager
def assembled(
    settings: Settings, *, verify: bool = False, group: str | None = None
) -> Iterator[System]:
    """The parts that the settings name, open until the end of the block.

    `verify` checks first that the log is sound, which takes a second or so for each gigabyte. A process that only
    folds names the group of workers it belongs to: from Kafka, it reads the topic itself, and has no replica.
    Raises `DamagedLog`, `LogUnavailable`, `VaultError`, `StoreUnavailable`.
    """
    with ExitStack() as stack:
        vault_path = path_of(settings.vault)
        log, store = stack.enter_context(log_and_store(settings, verify=verify, group=group))
        vault = Vault(vault_path, _master_key(settings, vault_path))
        stack.callback(vault.close)
        ledger = Ledger(log, vault, settings.origin)
        stack.callback(ledger.close)
        queries = Queries(store)
        worker = Worker(log, store, all_projections())
        steward = Steward(ledger, queries, settings.publishable_from)
        yield System(settings, log, vault, ledger, store, worker, queries, steward)


@contextmanager
def log_and_store(
    settings: Settings, *, verify: bool = False, group: str | None = None
) -> Iterator[tuple[EventLog, Store]]:
    """What it takes to fold, and no more: no vault, and no look at the models' versions.

    `verify` and `group` as in `assembled`. Raises `DamagedLog`, `LogUnavailable`, `StoreUnavailable`.
    """
    _calm_collector()
    with ExitStack() as stack:
        log = _log(settings, group)
        stack.callback(log.close)
        if verify:
            log.verify()
        store = _store(settings)
        stack.callback(store.close)
        yield log, store


def _store(settings: Settings) -> Store:
    if not settings.store.startswith(POSTGRES):
        return SQLiteStore(path_of(settings.store))
    try:
        from projections.stores.postgres import PostgresStore
    except ImportError as error:
        raise StoreUnavailable(
            "psycopg is missing, which read models in PostgreSQL need: install civic-participation-ledger[postgres]"
        ) from error
    return PostgresStore(settings.store)


def _log(settings: Settings, group: str | None) -> EventLog:
    if settings.log.startswith(SCHEME):
        return _kafka_log(settings, group)
    path = path_of(settings.log)
    return MemoryLog() if path is None else SQLiteLog(path)


def _kafka_log(settings: Settings, group: str | None) -> EventLog:
    from ledger.eventlog.kafka.feed import TopicFeed  # takes long to import
    from ledger.eventlog.kafka.log import KafkaLog

    # It reports each try to connect; what matters of that, the log says itself.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    address, as_user = Address.parsed(settings.log), sign_in(settings)
    if group is not None:
        return TopicFeed(address, group, as_user, patience=settings.patience)
    return KafkaLog(
        address,
        settings.replica,
        as_user,
        production=settings.profile == "production",
        patience=settings.patience,
    )


def _calm_collector() -> None:
    """Look for garbage less often, and not in what was imported: the hot paths make many objects and no
    cycles, and the collector took a fifth of their time (`make bench`)."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _master_key(settings: Settings, vault_path: Path | None) -> bytes:
    if settings.master_key_file is not None:
        return master_key(settings.master_key_file)
    if vault_path is None:
        return os.urandom(KEY_BYTES)
    return master_key(vault_path.with_name(vault_path.name + ".key"))
