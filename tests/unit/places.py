"""A small place to fold and to query: a ledger, its read models, and two people."""

from ledger.domain.choices import MakeChoice
from ledger.domain.deciding import Command
from ledger.domain.roll import RegisterCitizen
from projections.answers import AreaView, CitizenView
from projections.catalogue import all_projections
from projections.queries import History, Queries
from projections.stores.port import Store
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.unit.domain import AREAS, BAKERS, HEALTH, PARENTS
from tests.unit.ledgers import Clock, carry_out, new_ledger


class Place:
    """The small world of `tests.unit.domain`, with a ledger, read models and two people."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = Clock()
        self.ledger = new_ledger(clock=self.clock)
        self.store = SQLiteStore(None) if store is None else store
        self.worker = Worker(self.ledger.log, self.store, all_projections())
        self.queries = Queries(self.store)
        self.history = History(self.store, self.ledger.log)
        self.anna, self.ben = self.ledger.vault.enrol("anna"), self.ledger.vault.enrol("ben")
        self.does(*AREAS, HEALTH, BAKERS, PARENTS)
        self.does(RegisterCitizen(citizen=self.anna, home="aa/bb/cc"))
        self.does(RegisterCitizen(citizen=self.ben, home="aa/bb/dd"))

    def does(self, *commands: Command) -> None:
        carry_out(self.ledger, *commands)
        self.worker.catch_up()

    def chooses(self, citizen: str, option: str, id_: str = "q") -> None:
        self.does(MakeChoice(citizen=citizen, question=id_, marks={option: 1}))

    def area(self, area: str) -> AreaView:
        return self.queries.area(area)

    def view(self, citizen: str) -> CitizenView:
        return self.queries.citizen(citizen)

    def counts(self, area: str, id_: str = "q") -> dict[str, int]:
        (found,) = (one for one in self.area(area).questions if one.question == id_)
        return {option.id: option.count for option in found.options if option.count}
