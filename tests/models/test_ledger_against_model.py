"""Whatever is done in whatever order, the ledger comes to what a plain model comes to."""

import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.codec import decode
from ledger.domain.choices import (
    MakeChoice,
    WithdrawChoice,
    ballots,
)
from ledger.domain.counting.rules import Plurality
from ledger.domain.deciding import Command
from ledger.domain.event import instant
from ledger.domain.methods import Agreement, Approval, Points, Ranking, Score, Single
from ledger.domain.outcomes import RecordDecision
from ledger.domain.questions import AmendQuestion, CloseQuestion, UnsealQuestion
from ledger.domain.questions import question as question_perspective
from ledger.domain.roll import (
    JoinCommunity,
    LeaveArea,
    MakeAreaPublishable,
    MoveCitizen,
    RegisterCitizen,
)
from ledger.eventlog.port import EVERYTHING
from ledger.eventlog.sqlite import SQLiteLog
from ledger.recording import Accepted, Ledger, new_id
from ledger.vault.vault import Vault
from projections.catalogue import all_projections
from projections.digest import digest
from projections.queries import Queries, StillSealed
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.models.checks import (
    check_one_standing_choice_for_each_voter,
    opened,
    replayed,
)
from tests.models.plain_model import AREAS, CLUB, HOMES, Asked, PlainModel
from tests.unit import domain
from tests.unit.asking import question
from tests.unit.ledgers import MASTER_KEY, Clock, attempt, new_ledger

VAULT = Vault(None, MASTER_KEY)
PEOPLE = list(VAULT.enrol_all([f"person/{n}" for n in range(6)]).values())
QUESTIONS = ["q1", "q2", "q3"]
METHODS: list[tuple[Any, list[dict[str, int]], dict[str, int]]] = [
    (Single(), [{"a": 1}, {"b": 1}], {"a": 1, "b": 1}),
    (Approval(maximum=2), [{"a": 1}, {"a": 1, "c": 1}], {"a": 1, "b": 1, "c": 1}),
    (Ranking(), [{"b": 1, "a": 2}, {"c": 1}], {"a": 1, "b": 3}),
    (Score(max_mark=5), [{"a": 5, "b": 0}, {"c": 2}], {"a": 6}),
    (Points(total=4), [{"a": 4}, {"a": 1, "b": 2}], {"a": 3, "b": 2}),
    (Agreement(), [{"a": 1, "b": -1}, {"c": 0}], {"a": 2}),
]
people, asked, areas = map(st.sampled_from, (PEOPLE, QUESTIONS, AREAS))
methods = st.sampled_from(range(len(METHODS)))


class LedgerAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.model = PlainModel()
        self.ledger = new_ledger(vault=VAULT, clock=self.clock)
        self.done: list[tuple[int, str, Command]] = []
        self.methods: dict[str, int] = {}
        self.live = SQLiteStore(None)
        self.worker = Worker(self.ledger.log, self.live, all_projections(), batch=3)

    def give(self, command: Command, allowed: bool) -> None:
        """Give a command to the ledger, which must allow what the model allows."""
        id_ = new_id()
        self.done.append((self.model.now, id_, command))
        outcome = attempt(self.ledger, command, id_)
        assert isinstance(outcome, Accepted) == allowed, f"{command}: {outcome!r}"

    @initialize(first_methods=st.tuples(methods, methods))
    def people_live_in_areas_and_are_asked(self, first_methods: tuple[int, int]) -> None:
        for area in domain.AREAS:
            self.give(area, allowed=True)
        for number, person in enumerate(PEOPLE[:4]):
            self.register(person, HOMES[number])
        for id_, method in zip(QUESTIONS[:2], first_methods, strict=True):
            self.ask(id_, "aa", method, opens=0, closes=None, sealed=id_ == "q2")

    @rule(person=people, home=st.sampled_from(HOMES))
    def register(self, person: str, home: str) -> None:
        allowed = self.model.register(person, home)
        self.give(RegisterCitizen(citizen=person, home=home), allowed)

    @rule(person=people, home=st.sampled_from(HOMES))
    def move(self, person: str, home: str) -> None:
        self.give(MoveCitizen(citizen=person, home=home), self.model.move(person, home))

    @rule(person=people)
    def join(self, person: str) -> None:
        self.give(JoinCommunity(citizen=person, area=CLUB), self.model.join(person))

    @rule(person=people, area=areas)
    def leave(self, person: str, area: str) -> None:
        self.give(LeaveArea(citizen=person, area=area), self.model.leave(person, area))

    @rule(area=areas, at_least=st.integers(1, 3))
    def publish(self, area: str, at_least: int) -> None:
        allowed = self.model.publish(area, at_least)
        self.give(MakeAreaPublishable(area=area, at_least=at_least), allowed)

    @rule(
        id_=asked,
        area=areas,
        method=methods,
        opens=st.integers(0, 1),
        closes=st.sampled_from([None, 3, 6]),
        sealed=st.booleans(),
    )
    def ask(
        self, id_: str, area: str, method: int, opens: int, closes: int | None, sealed: bool
    ) -> None:
        now = self.model.now
        allowed = id_ not in self.model.asked
        if allowed:
            end = None if closes is None else now + closes
            self.model.asked[id_] = Asked(area, now + opens, end)
            self.methods[id_] = method
        command = question(
            id_,
            area=area,
            method=METHODS[method][0],
            rule=Plurality(),
            opens=self.moment(now + opens),
            closes=None if closes is None else self.moment(now + closes),
            results="after_close" if sealed else "live",
        )
        self.give(command, allowed)

    @rule(choices=st.lists(st.tuples(asked, people, st.integers(0, 4)), min_size=1, max_size=8))
    def several_choose(self, choices: list[tuple[str, str, int]]) -> None:
        for id_, person, which in choices:
            self.choose(id_, person, which)

    def choose(self, id_: str, person: str, which: int) -> None:
        _, legal, illegal = METHODS[self.methods.get(id_, 0)]
        marks = None if which == 4 else legal[which % 2]
        allowed = self.model.choose(person, id_, marks)
        self.give(MakeChoice(citizen=person, question=id_, marks=marks or illegal), allowed)

    @rule(id_=asked)
    def everybody_chooses(self, id_: str) -> None:
        for number, person in enumerate(PEOPLE):
            self.choose(id_, person, number % 2)

    @rule(id_=asked, person=people)
    def withdraw(self, id_: str, person: str) -> None:
        allowed = self.model.withdraw(person, id_)
        self.give(WithdrawChoice(citizen=person, question=id_), allowed)

    @rule(id_=asked)
    def amend(self, id_: str) -> None:
        known = self.model.asked.get(id_)
        allowed = known is not None and not known.closed and not known.chosen
        self.give(AmendQuestion(question=id_, title="Which one?"), allowed)

    @rule(id_=asked)
    def close(self, id_: str) -> None:
        known, now = self.model.asked.get(id_), self.model.now
        allowed = known is not None and not known.closed
        allowed = allowed and (known.closes is None or known.closes <= now)  # type: ignore[union-attr]
        if known is not None and allowed:
            known.closed = True
        self.give(CloseQuestion(question=id_), allowed)

    @rule(id_=asked)
    def unseal(self, id_: str) -> None:
        found = self.ledger.facts().about(question_perspective(id_))
        allowed = found.sealed and found.closed and found.key is None
        self.give(UnsealQuestion(question=id_), allowed)

    @rule(id_=asked)
    def decide(self, id_: str) -> None:
        found = self.ledger.facts().about(question_perspective(id_))
        over = found.closed or (found.asked is not None and found.asked.closes is None)
        decided = any(
            isinstance(command, RecordDecision) and command.question == id_
            for _, _, command in self.done
        )
        allowed = over and not (found.sealed and found.key is None)
        before = self.ledger.log.head()
        if not (found.closed and decided):  # an open-ended question is decided again and again
            self.give(RecordDecision(question=id_), allowed)
        for record in self.ledger.log.select(EVERYTHING, after=before):
            event: Any = decode(record.entry).event
            assert event.voters == len(self.model.ballots(id_, "aa"))
            if self.methods[id_] == 0:
                votes = Counter(one for one, _ in self.model.tally(id_, "aa").elements())
                most = {one for one in votes if votes[one] == max(votes.values())}
                assert set(event.adopted or event.tied) == most

    @rule(hours=st.integers(1, 3))
    def wait(self, hours: int) -> None:
        self.model.now += hours
        self.clock.pass_by(hours=hours)

    @rule()
    def project(self) -> None:
        self.worker.step()

    @invariant()
    def the_log_counts_like_the_model(self) -> None:
        facts = self.ledger.facts()
        for id_ in self.model.asked:
            by_voter = facts.about(ballots(id_)).by_voter
            for area in AREAS:
                inside = [
                    opened(VAULT, id_, answer)
                    for answer in by_voter.values()
                    if (answer.area + "/").startswith(area + "/")
                ]
                counted = Counter(one for marks in inside for one in marks.items())
                assert counted == self.model.tally(id_, area)
                assert len(inside) == len(self.model.ballots(id_, area))

    def teardown(self) -> None:
        check_one_standing_choice_for_each_voter(self.ledger.log)
        self.worker.catch_up()
        self.read_models_answer_like_the_model(self.live)
        expected = [digest(self.live, one) for one in all_projections()]
        for batch in (1, 7, 10_000):
            assert replayed(self.ledger.log, batch) == expected
        with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
            log = SQLiteLog(Path(folder) / "log.sqlite")
            stack.callback(log.close)
            self.repeat(Ledger(log, VAULT, "ledger.example/x", self.clock))
            store = SQLiteStore(Path(folder) / "store.sqlite")
            stack.callback(store.close)
            Worker(log, store, all_projections(), batch=7).catch_up()
            self.read_models_answer_like_the_model(store)
        self.ledger.close()
        self.live.close()

    def repeat(self, ledger: Ledger) -> None:
        """Give another ledger the same commands at the same hours."""
        self.clock = ledger._clock = Clock()
        hour = 0
        for now, id_, command in self.done:
            self.clock.pass_by(hours=now - hour)
            hour = now
            ledger.execute_all([(id_, command)])
        ledger.close()

    def read_models_answer_like_the_model(self, store: SQLiteStore) -> None:
        queries = Queries(store)
        for area in AREAS:
            assert queries.area(area).roll == self.model.roll(area)
        for id_, known in self.model.asked.items():
            assert queries.question(id_).voters == len(self.model.ballots(id_, known.electorate))
            for area in AREAS:
                try:
                    found = queries.tally(id_, area)
                except StillSealed:
                    continue
                counted = Counter(
                    {(o.id, mark): n for o in found.options for mark, n in o.by_mark.items()}
                )
                assert counted == self.model.tally(id_, area)
                assert found.voters == len(self.model.ballots(id_, area))

    def moment(self, hour: int) -> str:
        beginning = Clock()
        beginning.pass_by(hours=hour)
        return instant(beginning.now)


LedgerAgainstModel.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLedgerAgainstModel = LedgerAgainstModel.TestCase
