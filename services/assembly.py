"""Where the parts are put together: the only place that chooses adapters."""

import gc
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.eventlog.kafka_address import SCHEME, Address
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EventLog
from ledger.eventlog.sqlite import SQLiteLog
from ledger.recording import Ledger
from ledger.transparency.errors import Malformed
from ledger.transparency.policy import parse_policy
from ledger.vault.keys import KEY_BYTES, master_key
from ledger.vault.vault import Vault
from projections.catalogue import all_projections
from projections.queries import Queries
from projections.stores.port import Store, StoreUnavailable
from projections.stores.sqlite import SQLiteStore
from projections.tree.cosigning import NoWitnesses, Witnesses
from projections.tree.folder import PublicFolder
from projections.tree.last_signed import LastSigned, LastSignedUnavailable, SQLiteLastSigned
from projections.tree.publishing import Publisher
from projections.tree.worker import TreeWorker
from projections.worker import Worker
from services.settings import POSTGRES, Settings, home_of, path_of, sign_in
from services.signing_keys import KeyFile, LogKeys, new_key
from services.steward import Steward
from services.witnesses import HttpWitnesses, PolicyUnusable


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
    public: PublicFolder


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
        public = PublicFolder(_public(settings, stack))
        yield System(settings, log, vault, ledger, store, worker, queries, steward, public)


@contextmanager
def log_and_store(
    settings: Settings, *, verify: bool = False, group: str | None = None
) -> Iterator[tuple[EventLog, Store]]:
    """What it takes to fold, and no more: no vault, and no look at the models' versions.

    `verify` and `group` as in `assembled`. Raises `DamagedLog`, `LogUnavailable`, `StoreUnavailable`.
    """
    calm_collector()
    with ExitStack() as stack:
        log = _log(settings, group)
        stack.callback(log.close)
        if verify:
            log.verify()
        store = _store(settings)
        stack.callback(store.close)
        yield log, store


@contextmanager
def publishing(settings: Settings, log: EventLog, public: PublicFolder) -> Iterator[TreeWorker]:
    """The tree worker that the settings name; it has done nothing yet.

    Raises `LastSignedUnavailable`, and `PolicyUnusable` for a policy of witnesses that cannot be read.
    """
    with ExitStack() as stack:
        last_signed = _last_signed(settings)
        stack.callback(last_signed.close)
        witnesses: Witnesses = NoWitnesses()
        if settings.witness_policy is not None:
            asked = _witnesses(settings.witness_policy, settings.witness_timeout)
            stack.callback(asked.close)
            witnesses = asked
        publisher = Publisher(public, settings.origin, log_keys(settings), witnesses)
        yield TreeWorker(log, public, last_signed, settings.origin, publisher)


def log_keys(settings: Settings) -> LogKeys:
    """The keys that sign checkpoints."""
    home, given = home_of(settings), settings.signing_key
    environment = None if given is None else given.get_secret_value()
    if home is None and environment is None and settings.signing_key_file is None:
        environment = new_key(settings.origin).skey  # of a log that goes with the process, too
    path = settings.signing_key_file or (home or Path()) / "signing.key"
    file = KeyFile(path, settings.origin)
    return LogKeys(settings.origin, file, environment, may_make=settings.profile == "trial")


def _public(settings: Settings, stack: ExitStack) -> Path:
    if settings.public is not None:
        return settings.public
    home = home_of(settings)
    if home is not None:
        return home / "public"
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="civic-public-")))


def _last_signed(settings: Settings) -> LastSigned:
    url, home = settings.last_signed, home_of(settings)
    if url is None:
        return SQLiteLastSigned(None if home is None else home / "signed.sqlite")
    if not url.startswith(POSTGRES):
        return SQLiteLastSigned(path_of(url))
    try:
        from projections.tree.last_signed_postgres import PostgresLastSigned
    except ImportError as error:
        raise LastSignedUnavailable(
            "psycopg is missing, which a last-signed store in PostgreSQL needs: install "
            "civic-participation-ledger[postgres]"
        ) from error
    return PostgresLastSigned(url)


def _witnesses(path: Path, timeout: float) -> HttpWitnesses:
    try:
        return HttpWitnesses(parse_policy(path.read_bytes()), timeout)
    except (OSError, Malformed) as error:
        raise PolicyUnusable(
            f"the policy of witnesses in {path} cannot be used: {error}"
        ) from error


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


def calm_collector() -> None:
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
