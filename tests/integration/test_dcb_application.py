"""Any `DCBApplication` of eventsourcing runs on our log: one in the style of the library's own examples."""

from pathlib import Path

import pytest
from eventsourcing.dcb.application import DCBApplication
from eventsourcing.dcb.domain import Selector, Slice, Tagged
from eventsourcing.dcb.msgpack import Decision, MessagePackMapper
from eventsourcing.domain import event
from eventsourcing.persistence import InfrastructureFactoryError, IntegrityError
from eventsourcing.utils import get_topic

from deploy.kafka.broker import Cluster


class StudentJoined(Decision):
    student: str
    course: str
    places: int


class JoinCourse(Slice):
    """A student takes one of the places of a course."""

    def __init__(self, student: str, course: str, places: int) -> None:
        self.student, self.course, self.places = student, course, places
        self.joined: list[str] = []

    def consistency_boundary(self) -> Selector:
        return Selector(tags=[self.course], types=[StudentJoined])

    @event(StudentJoined)
    def _(self, student: str) -> None:
        self.joined.append(student)

    def execute(self) -> None:
        if len(self.joined) >= self.places:
            raise ValueError("the course is full")
        self.trigger_event(
            StudentJoined,
            [self.student, self.course],
            student=self.student,
            course=self.course,
            places=self.places,
        )


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": "ledger.eventlog.sqlite",
        "SQLITE_DBNAME": str(tmp_path / "courses.sqlite"),
        "MAPPER_TOPIC": get_topic(MessagePackMapper),
    }


@pytest.fixture
def on_kafka(kafka: Cluster, topic: str, tmp_path: Path) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": "ledger.eventlog.kafka",
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "KAFKA_TOPIC": topic,
        "KAFKA_REPLICA": str(tmp_path / "replica.sqlite"),
        "MAPPER_TOPIC": get_topic(MessagePackMapper),
    }


@pytest.fixture(params=["sqlite", "on_kafka"])
def env(request: pytest.FixtureRequest) -> dict[str, str]:
    found: dict[str, str] = request.getfixturevalue(request.param)
    return found


def test_slices_decide_on_our_log_and_it_lasts(env: dict[str, str]) -> None:
    with DCBApplication(env) as application:
        application.do(JoinCourse("sara", "dutch", places=2))
        application.do(JoinCourse("bob", "dutch", places=2))
        with pytest.raises(ValueError, match="full"):
            application.do(JoinCourse("max", "dutch", places=2))
        application.do(JoinCourse("max", "french", places=2))
    with DCBApplication(env) as again:
        events = list(again.events.read(Selector(tags=["dutch"])))
        assert [one.decision.student for one in events] == ["sara", "bob"]
        assert again.recorder.read().head == 3


def test_a_slice_that_lost_is_refused(env: dict[str, str]) -> None:
    with DCBApplication(env) as application:
        late = application.repository.advance(JoinCourse("bob", "dutch", places=1))
        application.do(JoinCourse("sara", "dutch", places=1))
        late.execute()
        with pytest.raises(IntegrityError):
            application.repository.save(late)


def test_events_are_appended_through_the_store_of_the_library(env: dict[str, str]) -> None:
    with DCBApplication(env) as application:
        decision = StudentJoined(student="sara", course="dutch", places=1)
        assert application.events.append([Tagged(["dutch"], decision)]) == 1


@pytest.mark.parametrize("path", ["", ":memory:", "file::memory:?cache=shared"])
def test_a_log_in_memory_is_refused_with_a_hint(sqlite: dict[str, str], path: str) -> None:
    with pytest.raises(InfrastructureFactoryError, match="popo"):
        DCBApplication({**sqlite, "SQLITE_DBNAME": path})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", ""),
        ("KAFKA_BOOTSTRAP_SERVERS", "localhost"),
        ("KAFKA_TOPIC", ""),
        ("KAFKA_TOPIC", "a b"),
        ("KAFKA_REPLICA", ""),
        ("KAFKA_PROTOCOL", "TLS"),
        ("KAFKA_MECHANISM", "GUESS"),
    ],
)
def test_what_is_missing_or_wrong_is_named(name: str, value: str, tmp_path: Path) -> None:
    env = {
        "PERSISTENCE_MODULE": "ledger.eventlog.kafka",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "KAFKA_TOPIC": "log",
        "KAFKA_REPLICA": str(tmp_path / "replica.sqlite"),
        name: value,
    }
    with pytest.raises(InfrastructureFactoryError, match=name):
        DCBApplication(env)
