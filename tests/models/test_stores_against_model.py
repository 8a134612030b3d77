"""Whatever is done in whatever order, SQLite and PostgreSQL come to what dictionaries come to."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from projections.catalogue import all_projections
from projections.digest import digest
from projections.projection import Rows
from projections.queries import Queries, StillSealed
from projections.replay import rebuilt
from projections.stores.port import (
    Generation,
    Halt,
    NothingToBringBack,
    State,
    Store,
    StoreUnavailable,
    Work,
)
from projections.stores.postgres import COPIED_FROM, PostgresStore
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.contracts.places import COUNT, LATER, NOTE, OTHER, PLACES, SEEN, WHO, Wider
from tests.models.plain_store import PlainStore
from tests.models.test_ledger_against_model import AREAS, LedgerAgainstModel
from tests.postgres import Server

WIDER = Wider()
WIDER.version = 4
LATEST = {one.version: one for one in (PLACES, LATER, WIDER)}
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=3
) | st.sampled_from(["a", "a/b", "a0", "A", "é", "?", "%s", "\\N", "\t", "'"])
whole = st.integers(-(2**53) + 1, 2**53 - 1) | st.integers(-3, 12)
projections = st.sampled_from([PLACES, PLACES, LATER, WIDER, OTHER])
keys = st.sampled_from(["a", "a/b", "é"]) | texts
marks = st.integers(-1, 1) | whole
changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.none() | texts, st.none() | whole),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("seen"), keys, marks),
        st.tuples(st.just("who"), keys, texts),
        st.tuples(st.just("add"), keys, marks, st.integers(-5, 5)),
        st.tuples(st.just("many"), st.integers(COPIED_FROM - 1, COPIED_FROM + 1)),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def new_schema(postgres_server: Server) -> Callable[[], str]:
    return postgres_server.new_schema


class StoresAgainstModel(RuleBasedStateMachine):
    new_schema: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.plain = PlainStore()
        self.stores: list[Store] = [
            self.plain,
            SQLiteStore(folder / "store.sqlite"),
            SQLiteStore(None),
            PostgresStore(type(self).new_schema()),
        ]
        self.known: list[Generation] = []
        self.prepare(PLACES)

    def all_do(self, do: Callable[[Store], Any]) -> Any:
        """What a store answers, which all must."""
        answers = [_answer(do, store) for store in self.stores]
        assert answers == [answers[0]] * len(answers)
        if isinstance(answers[0], Generation):
            others = [one for one in self.known if one[:2] != answers[0][:2]]
            self.known = [*others, answers[0]][-6:]
        return answers[0]

    def picked(self, which: int) -> Generation | None:
        """A generation as some caller met it, which may have been long ago."""
        return self.known[which % len(self.known)] if self.known else None

    @rule(projection=projections)
    def prepare(self, projection: Any) -> None:
        self.all_do(lambda store: store.prepare(projection))

    @rule(projection=projections)
    def rebuild(self, projection: Any) -> None:
        self.all_do(lambda store: store.rebuild(projection))

    @rule(projection=projections)
    def bring_back(self, projection: Any) -> None:
        self.all_do(lambda store: store.bring_back(projection))

    @rule(which=st.integers(0, 5))
    def go_live(self, which: int) -> None:
        if (one := self.picked(which)) is not None:
            self.all_do(lambda store: store.go_live(one))

    @rule(batches=st.lists(changes, min_size=1, max_size=4))
    def follow(self, batches: list[list[Any]]) -> None:
        """What a worker does most of the time."""
        for made in batches:
            live = self.plain.prepare(LATEST[self.live_version()])

            def advanced(store: Store, made: list[Any] = made, live: Generation = live) -> bool:
                rows = store.batch(live)
                _fold(made, rows)
                return store.advance(live, rows, after=live.position, to=live.position + 1)

            assert self.all_do(advanced)

    def live_version(self) -> int:
        (live,) = (
            one
            for one in self.plain.generations()
            if one.model == "places" and one.state is State.LIVE
        )
        return live.version

    @rule(which=st.integers(0, 5), made=changes, stale=st.booleans(), step=st.integers(1, 3))
    def advance(self, which: int, made: list[Any], stale: bool, step: int) -> None:
        """Also a generation that was dropped or is kept, and from a position where it no longer stands."""
        one = self.picked(which)
        if one is None:
            return
        standing = [now for now in self.plain.generations() if now[:2] == one[:2]]
        after = standing[0].position if standing and not stale else one.position

        def advanced(store: Store) -> bool:
            rows = store.batch(one)
            if one.model == "places":
                _fold(made, rows)
            return store.advance(one, rows, after=after, to=after + step)

        self.all_do(advanced)

    @rule(which=st.integers(0, 5), ahead=st.integers(0, 3))
    def halt(self, which: int, ahead: int) -> None:
        one = self.picked(which)
        standing = [now for now in self.plain.generations() if one and now[:2] == one[:2]]
        for now in standing:
            halt = Halt(now.position + ahead, "some.type", "it's %s of ?")
            self.all_do(lambda store, now=now, halt=halt: store.halt(now, halt))

    @rule(
        gone=st.sampled_from("ab"),
        workers=st.lists(
            st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 9))
        ),
    )
    def tell(self, gone: str, workers: list[tuple[str, str, int]]) -> None:
        work = [Work(worker, model, rate, 1_800_000_000) for worker, model, rate in workers]
        self.all_do(lambda store: store.forget(gone))
        self.all_do(lambda store: store.report(work))

    @invariant()
    def all_stores_hold_the_same(self) -> None:
        self.all_do(lambda store: store.generations())
        self.all_do(lambda store: store.work())
        self.all_do(lambda store: [_contents(store, one) for one in (PLACES, OTHER)])

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.stack.close()


def _answer(do: Callable[[Store], Any], store: Store) -> Any:
    try:
        return do(store)
    except (StoreUnavailable, NothingToBringBack) as error:
        return type(error)


def _contents(store: Store, projection: Any) -> Any:
    if not any(one.model == projection.name for one in store.generations()):
        return None
    with store.contents(projection, with_personal=True) as (position, rows):
        return position, list(rows)


def _fold(made: list[Any], rows: Rows) -> None:
    for kind, *values in made:
        match kind, values:
            case "put", [id_, text, at]:
                before = rows.get(NOTE, (id_,))
                rows.put(NOTE, (id_,), text if before is None else before[0], at)
            case "delete", [id_]:
                rows.delete(NOTE, (id_,))
            case "seen", [id_, at]:
                rows.put(SEEN, (id_, at))
            case "who", [name, home]:
                rows.put(WHO, (name,), home)
            case "add", [place, mark, votes]:
                rows.add(COUNT, (place, mark), votes, votes * 2)
            case "many", [number]:
                for n in range(number):
                    rows.put(NOTE, (f"{n}",), "many", n)
                    rows.add(COUNT, (f"{n}", n), 1, n)


def test_stores_against_the_model(new_schema: Callable[[], str]) -> None:
    StoresAgainstModel.new_schema = staticmethod(new_schema)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        StoresAgainstModel,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


class HistoriesInAllStores(LedgerAgainstModel):
    """The histories that the ledger's own model is held against, folded into every store."""

    new_schema: Callable[[], str]

    def teardown(self) -> None:
        log = self.ledger.log
        plain, live = PlainStore(), PostgresStore(type(self).new_schema())
        stores: list[Store] = [plain, live, SQLiteStore(None)]
        for store, batch in zip(stores, (10_000, 3, 1), strict=True):
            Worker(log, store, all_projections(), batch).catch_up()
        for one in all_projections():
            rebuilt(log, live, one, batch=7)
            digests = {digest(store, one, with_personal=True) for store in stores}
            assert len(digests) == 1
        self.read_models_answer_like_the_model(live)
        answers = [_answers(store, list(self.model.asked)) for store in stores[1:]]
        assert answers[0] == answers[1]
        for store in stores:
            store.close()
        self.ledger.close()
        self.live.close()


def _answers(store: Store, questions: list[str]) -> list[Any]:
    queries = Queries(store)
    found: list[Any] = [queries.areas(), queries.questions(), list(queries.tallies())]
    found += [queries.area(area) for area in AREAS]
    found += [queries.areas_to_publish(n) for n in range(3)]
    for question in questions:
        found += [queries.question(question), queries.decision(question)]
        for area in AREAS:
            try:
                found.append(queries.tally(question, area))
            except StillSealed:
                found.append(StillSealed)
    return found


def test_histories_of_the_ledger_in_all_stores(new_schema: Callable[[], str]) -> None:
    HistoriesInAllStores.new_schema = staticmethod(new_schema)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        HistoriesInAllStores,
        settings=settings(
            max_examples=15,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
