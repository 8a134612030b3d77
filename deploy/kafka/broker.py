"""Real brokers as processes of this machine: one, or a cluster of three, on free ports of the loopback.

Everything that happens to a broker can be done to one here: it is killed, stopped, paused, started again, and finds its
data. The processes end with the one that started them, however that ends.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self
from xml.etree import ElementTree

from deploy.kafka.guard import Guard

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOOPBACK = "127.0.0.1"

READY_WITHIN = 60.0
"""Seconds; three brokers on one busy processor need some fifteen."""

STOPPED_WITHIN = 15.0
"""Seconds. A broker that finds no controller any more would wait five minutes for one before it stops."""

QUICK_START = ("-XX:TieredStopAtLevel=1",)
"""Compiles less: half the work at the start, and slower later."""


class CannotStart(Exception):
    """A broker cannot be started: says what is missing, or what the broker said last."""


class TopicSettings(NamedTuple):
    """What `topic.properties` says, for a number of brokers."""

    partitions: int
    copies: int
    settings: dict[str, str]


def topic_settings(brokers: int) -> TopicSettings:
    settings = properties(HERE / "topic.properties")
    partitions, copies = (int(settings.pop(n)) for n in ("partitions", "replication.factor"))
    if brokers < copies:
        copies = brokers
        settings["min.insync.replicas"] = "1"
    return TopicSettings(partitions, copies, settings)


def properties(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def version() -> str:
    """Of the broker, as `pom.xml` names it."""
    named = ElementTree.parse(HERE / "pom.xml").findtext("{*}version")
    assert named
    return named


def jars() -> Path:
    return ROOT / os.environ.get("KAFKA_LIB", f"var/kafka/lib/{version()}")


def missing() -> str | None:
    """What has to be installed before a broker can start, and how; None if nothing has."""
    if shutil.which("java") is None:
        return "there is no java to run Kafka with: apt-get install default-jre-headless"
    if not (jars() / "complete").exists():
        return f"the jars of Kafka are not in {jars()}: make jars"
    return None


class Broker:
    """One node, broker and controller in one process."""

    def __init__(self, node: int, folder: Path, address: str, java: tuple[str, ...]) -> None:
        self.node = node
        self.folder = folder
        self.address = address
        """`host:port`, without encryption or sign-in."""
        self._java = java
        self._process: subprocess.Popen[bytes] | None = None
        self._guardian: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def log(self) -> Path:
        """What the broker said, over all its starts."""
        return self.folder / "broker.log"

    @property
    def running(self) -> bool:
        """Paused counts as running."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process. It serves only some time later: see `wait_until_ready`."""
        assert not self.running
        self._dismiss_guardian()
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self.folder / "broker.properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we stop the broker
            )
        self._guardian = _guardian(self._process.pid)

    def wait_until_ready(self, within: float = READY_WITHIN) -> None:
        """Until the cluster has let the broker in and it serves.

        Raises:
            CannotStart: with the end of its log, if it ends instead or takes longer.
        """
        until = time.monotonic() + within
        while b"Kafka Server started" not in self._said():
            if not self.running or time.monotonic() > until:
                what = "does not serve yet" if self.running else "has ended"
                end = b"\n".join(self._said().splitlines()[-20:]).decode(errors="replace")
                raise CannotStart(f"broker {self.node} {what}; the end of {self.log}:\n{end}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: it writes nothing more and says goodbye to nobody."""
        self._end(signal.SIGKILL)

    def stop(self, within: float = STOPPED_WITHIN) -> None:
        """SIGTERM: it hands over what it leads and closes its files. Killed if it takes longer."""
        self._end(signal.SIGTERM, within)

    def restart(self) -> None:
        """Start again, killed or not before, and wait until it serves."""
        self.stop()
        self.start()
        self.wait_until_ready()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wait(self) -> None:
        """Until the process ends."""
        assert self._process is not None
        self._process.wait()

    def ask_to_end(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """Send the signal, and do not wait."""
        if self.running:
            os.kill(self.pid, with_signal)
            os.kill(self.pid, signal.SIGCONT)  # a paused process hears SIGTERM only when it goes on

    def _said(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._said_before)
            return log.read()

    def _end(self, with_signal: signal.Signals, within: float | None = None) -> None:
        self.ask_to_end(with_signal)
        if self._process is not None:
            try:
                self._process.wait(within)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._dismiss_guardian()

    def _dismiss_guardian(self) -> None:
        if self._guardian is not None:
            self._guardian.kill()
            self._guardian.communicate()
            self._guardian = None


class Cluster:
    """One broker, or three of which each is a controller too.

    Ends with its `with` block. A folder that was used before is used again, with its data, by as many brokers.
    """

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        *,
        port: int = 0,
        guard: Guard | None = None,
        lasting: bool = False,
    ) -> None:
        """Without a port, any free one is taken. With a guard, there are listeners with TLS and sign-in too.

        A lasting cluster is not in a hurry to start, and is quicker later: for trials and measurements.

        Raises:
            CannotStart: something is missing, or the port is taken.
        """
        if lacking := missing():
            raise CannotStart(lacking)
        assert port == 0 or brokers == 1
        self.folder = folder
        self.guard = guard
        self._listeners = {"PLAINTEXT": "PLAINTEXT", **(guard.listeners if guard else {})}
        self._reserved = [
            {name: _reserved(port if name == "PLAINTEXT" else 0) for name in self._names}
            for _ in range(brokers)
        ]
        heap = "-Xmx384m" if brokers > 1 else "-Xmx512m"
        java = (
            *("java", heap, "-XX:+UseSerialGC", *(() if lasting else QUICK_START)),
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
            *("-cp", f"{jars()}/*"),
        )
        self.brokers = tuple(
            Broker(node, folder / f"broker-{node}", self._addresses("PLAINTEXT")[node - 1], java)
            for node in range(1, brokers + 1)
        )
        self._java = java

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses without encryption or sign-in, for `bootstrap_servers`."""
        return self.bootstrap_of("PLAINTEXT")

    def bootstrap_of(self, listener: str) -> str:
        return ",".join(self._addresses(listener))

    def start(self) -> Self:
        """Start the brokers and wait until all of them serve."""
        self._prepare()
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            broker.wait_until_ready()
        if self.guard:
            with self.admin() as admin:
                self.guard.grant(admin)
        return self

    def kill(self) -> None:
        for broker in self.brokers:
            broker.kill()

    def stop(self) -> None:
        for broker in self.brokers:
            broker.ask_to_end()
        for broker in self.brokers:
            broker.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        for broker in self.brokers:
            broker.pause()

    def resume(self) -> None:
        for broker in self.brokers:
            broker.resume()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Kills: nothing has to be kept tidy, and three brokers that stop at once wait for each other."""
        self.kill()
        for reserved in self._reserved:
            for kept in reserved.values():
                kept.close()

    def client(self, **settings: Any) -> dict[str, Any]:
        """Settings for any client of kafka-python, which sees a broker come back quickly."""
        return {
            "bootstrap_servers": self.bootstrap,
            "reconnect_backoff_ms": 20,
            "reconnect_backoff_max_ms": 200,
            **settings,
        }

    @contextmanager
    def admin(self, **settings: Any) -> Iterator[Any]:
        """kafka-python's admin client."""
        from kafka import KafkaAdminClient

        client = KafkaAdminClient(**self.client(**settings))
        try:
            yield client
        finally:
            client.close()

    def create_topic(
        self,
        name: str | None = None,
        partitions: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> str:
        """Make a topic as `topic.properties` says, but for what is given. Its name, a new one unless given."""
        name = name or f"topic-{uuid.uuid4().hex[:12]}"
        ours = topic_settings(len(self.brokers))
        wanted = {
            "num_partitions": partitions or ours.partitions,
            "replication_factor": ours.copies,
            "configs": {**ours.settings, **(settings or {})},
        }
        with self.admin() as admin:
            admin.create_topics({name: wanted}, wait_for_metadata=True)
        return name

    def leader(self, topic: str) -> Broker:
        """The broker that leads the topic's first partition."""
        with self.admin() as admin:
            (described,) = admin.describe_topics([topic])
        node: int = described["partitions"][0]["leader_id"]
        return self.brokers[node - 1]

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self._listeners, "CONTROLLER")

    def _addresses(self, listener: str) -> list[str]:
        return [f"{LOOPBACK}:{kept[listener].getsockname()[1]}" for kept in self._reserved]

    def _prepare(self) -> None:
        """Write the brokers' settings, and format the folders of those that are new."""
        for broker in self.brokers:
            broker.folder.mkdir(parents=True, exist_ok=True)
            lines = (f"{name}={value}\n" for name, value in self._settings(broker).items())
            (broker.folder / "broker.properties").write_text("".join(lines))
        fresh = [b for b in self.brokers if not (b.folder / "data/meta.properties").exists()]
        if not fresh:
            return
        identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        formatting = [
            subprocess.Popen(
                [
                    *(*self._java, "kafka.tools.StorageTool", "format"),
                    f"--cluster-id={identity}",  # which may begin with a dash
                    *("--config", str(broker.folder / "broker.properties")),
                    *(self.guard.format_arguments if self.guard else ()),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for broker in fresh
        ]
        said = [process.communicate()[0] for process in formatting]
        if any(process.returncode for process in formatting):
            raise CannotStart("".join(said))

    def _settings(self, broker: Broker) -> dict[str, str]:
        at = {name: self._addresses(name)[broker.node - 1] for name in self._names}
        copies = str(topic_settings(len(self.brokers)).copies)
        enough = topic_settings(len(self.brokers)).settings["min.insync.replicas"]
        voters = zip(self.brokers, self._addresses("CONTROLLER"), strict=True)
        protocols = {**self._listeners, "CONTROLLER": "PLAINTEXT"}
        return {
            **properties(HERE / "broker.properties"),
            "node.id": str(broker.node),
            "log.dirs": str(broker.folder / "data"),
            "controller.quorum.voters": ",".join(f"{b.node}@{address}" for b, address in voters),
            "listeners": ",".join(f"{name}://{address}" for name, address in at.items()),
            "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in protocols.items()),
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            **(self.guard.settings if self.guard else {}),
        }


def _reserved(port: int = 0) -> socket.socket:
    """A port that is the broker's while this is open, even when the broker is down.

    Linux lets a second socket listen on an address on which the first only is bound, and both ask for it to be shared.
    Meanwhile nobody else is given the port; nor is a client that looks for the broker, which would connect to itself.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        kept.bind((LOOPBACK, port))
    except OSError as error:
        kept.close()
        raise CannotStart(f"port {port} is taken: {error.strerror}") from error
    return kept


def _guardian(pid: int) -> "subprocess.Popen[bytes]":
    """Kills the broker when we end, even by SIGKILL: the end of its input is the end of us."""
    return subprocess.Popen(
        ["sh", "-c", 'read -r _; kill -9 "$0"', str(pid)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
