"""A real Apache Kafka broker (KRaft, broker and controller in one process) on this machine."""

import base64
import itertools
import os
import signal
import subprocess
import uuid
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from tests.integration.rigs.class_archive import archived
from tests.integration.rigs.java_build import REPOSITORY, built
from tests.integration.rigs.java_server import JavaServer
from tests.integration.rigs.spawned import Child, listening
from tests.integration.rigs.wait import eventually

from contribd.simulation.demo.embedded_broker import free_port

START_LIMIT_SECONDS = 60.0
INTERNAL_PARTITIONS = 4  # instead of 50: each is a folder to make and files to open

_CONFIGURATION = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms={missed}
broker.heartbeat.interval.ms=400
min.insync.replicas={in_sync}
offsets.topic.num.partitions={internal}
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions={internal}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

_topics = itertools.count(1)

_formatted: dict[str, bytes] = {}
"""The files of an empty storage, of which every broker gets a copy: no port or path is in them, and the tool that makes
them is a Java process of more than a second."""

_PROPERTIES: Final = "meta.properties"
"""The one of them that names its broker."""


class Seat(NamedTuple):
    """A broker's place in its cluster; that of the only one, where nothing else is said.

    ``controllers``: the port of each broker's controller, by node id. ``missed_after``: seconds without a heartbeat
    after which the controllers give a broker up (Kafka's default is 9). ``megabytes``: the heap.
    """

    node: int
    controllers: dict[int, int]
    missed_after: float = 2.0
    megabytes: int = 512

    @property
    def replicas(self) -> int:
        """How many brokers have each log."""
        return min(3, len(self.controllers))

    @property
    def in_sync(self) -> int:
        """How many must have a record before it counts."""
        return min(2, self.replicas)

    @property
    def voters(self) -> str:
        """``controller.quorum.voters``."""
        return ",".join(f"{node}@127.0.0.1:{port}" for node, port in self.controllers.items())


def kafka_libs() -> Path:
    """The folder with the broker's jars, fetched by Maven where they are not here yet."""
    return built(REPOSITORY / "tests/integration/kafka", ["dependency:copy-dependencies"]) / "libs"


def unique(name: str) -> str:
    """A name for a topic, group or transactional.id that no other test, session or run has used."""
    return f"{name}-{os.getpid()}-{next(_topics)}-{uuid.uuid4().hex[:6]}"


class KafkaBroker(JavaServer):
    """One broker with its data in ``directory``; address and data outlive stop, kill and restart.

    ``advertised_port`` is for a proxy in front of the broker: clients are told to come back to that port. ``seat``: its
    place in a cluster. ``settings`` are the broker's own, by their names. ``classes``: options that say where its
    classes come from; None: from the archive.
    """

    has_static_members = True

    def __init__(
        self,
        directory: Path,
        *,
        advertised_port: int | None = None,
        seat: Seat | None = None,
        settings: Mapping[str, str] | None = None,
        classes: list[str] | None = None,
    ) -> None:
        super().__init__(directory, name="Kafka")
        self._classes = classes
        self._settings = settings or {}
        self._advertised_port = advertised_port
        self._seat = seat

    @classmethod
    def running_in(cls, directory: Path, port: int) -> Self:
        """One that another process has started, to be used only."""
        broker = cls(directory)
        broker._port = port
        return broker

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients: the proxy's where there is one."""
        return f"127.0.0.1:{self._told_port}"

    @property
    def _told_port(self) -> int:
        return self._advertised_port or self._port

    @property
    def brokers(self) -> dict[int, "KafkaBroker"]:
        """By node id, as a cluster's are."""
        return {1: self}

    def wait_in_sync(self, *_topics: str) -> None:
        """Returns at once, unlike a cluster's: the logs here are the only ones."""

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered (SIGSTOP)."""
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        if self._child is not None:
            self._child.send(signal.SIGCONT)

    def create_topic(self, name: str, partitions: int = 1, **settings: str) -> str:
        """Create a topic (settings with underscores: ``cleanup_policy="compact"``), wait until it has leaders."""
        create_topic([self], name, partitions, **settings)
        return name

    def has_files(self, topic: str, partitions: int) -> bool:
        """Whether the topic's logs would outlive a crash.

        Kafka writes these files a little later, and a broker killed before it did throws the partition's log away when
        it starts again ("marked stray").
        """
        logs = [self.directory / "data" / f"{topic}-{number}" for number in range(partitions)]
        return all((log / "partition.metadata").exists() for log in logs)

    def move(self) -> None:
        """Gives it another port, and its data with it, from its next start on."""
        self._port = free_port()
        self._write_configuration(self._port)

    def _settle_in(self) -> None:
        if self._seat is None:
            make_internal_topics([self])

    def _choose_port(self) -> int:
        port = free_port()
        self._write_configuration(port)
        self._format()
        return port

    def _write_configuration(self, port: int) -> None:
        seat = self._seat or Seat(1, {1: free_port()})
        text = _CONFIGURATION.format(
            node=seat.node,
            voters=seat.voters,
            port=port,
            controller=seat.controllers[seat.node],
            advertised=self._advertised_port or port,
            data=self.directory / "data",
            missed=round(seat.missed_after * 1000),
            internal=INTERNAL_PARTITIONS,
            replicas=seat.replicas,
            in_sync=seat.in_sync,
        )
        text += "".join(f"{name}={value}\n" for name, value in self._settings.items())
        (self.directory / "server.properties").write_text(text)

    def _format(self) -> None:
        data = self.directory / "data"
        if not _formatted:
            self._run_storage_tool()
            _formatted.update({file.name: file.read_bytes() for file in data.iterdir()})
        data.mkdir(exist_ok=True)
        for name, content in _formatted.items():
            (data / name).write_bytes(content)
        if self._seat is not None:
            (data / _PROPERTIES).write_text(_renamed(_formatted[_PROPERTIES].decode(), self._seat.node))

    def _run_storage_tool(self) -> None:
        arguments = ["format", "--ignore-formatted", "-t", "contribdTestCluster000", "-c", "server.properties"]
        run = subprocess.run(
            self._java("kafka.tools.StorageTool", *arguments),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_LIMIT_SECONDS,
        )
        if run.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted: {run.stdout}{run.stderr}")

    def _launch(self) -> Child:
        classes = self._classes
        if classes is None:
            classes = archived(kafka_libs(), lambda folder, made: KafkaBroker(folder, classes=made))
        command = self._java("kafka.Kafka", "server.properties", options=classes)
        return Child(command, cwd=self.directory, log=self.log)

    def _java(self, main: str, *arguments: str, options: Iterable[str] = ()) -> list[str]:
        # The C1 compiler alone: tests are over before the better code would pay for its compilation.
        heap = self._seat.megabytes if self._seat is not None else 512
        always = [f"-Xmx{heap}m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return ["java", *always, *options, "-cp", f"{kafka_libs()}/*", main, *arguments]

    def answers(self) -> bool:
        """Waits until it does; False where it ended or took too long."""
        try:
            eventually(lambda: not self.running or self._answers_now(), within=START_LIMIT_SECONDS, every=0.1)
        except AssertionError:
            return False
        return self.running

    def _answers_now(self) -> bool:
        # A refused connection costs the client seconds of backing off; asking the port first costs nothing.
        if not listening(self._port):
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{self._port}", request_timeout_ms=2000)
        except KafkaError:
            return False
        try:
            brokers = admin.describe_cluster()["brokers"]
            return any(not each["is_fenced"] and each["port"] == self._told_port for each in brokers)
        except KafkaError:
            return False
        finally:
            admin.close()


def create_topic(brokers: Iterable[KafkaBroker], name: str, partitions: int, **settings: str) -> None:
    """Create a topic on the cluster of these running brokers; each has a replica, and could be killed afterwards."""
    brokers = list(brokers)
    configs = {key.replace("_", "."): value for key, value in settings.items()}
    with closing(KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{brokers[0].port}")) as admin:
        admin.create_topics([NewTopic(name, partitions, len(brokers), topic_configs=configs)])
        eventually(lambda: in_sync(admin, name, partitions, len(brokers)), within=60, what=f"leaders for topic {name}")
    _wait_for_files(brokers, name, partitions)


def make_internal_topics(brokers: Iterable[KafkaBroker]) -> None:
    """Made at their first use otherwise: seconds into some test, and perhaps just before it kills a broker."""
    brokers = list(brokers)
    address = f"127.0.0.1:{brokers[0].port}"
    with closing(KafkaProducer(bootstrap_servers=address, transactional_id="first")) as producer:
        producer.init_transactions()
    with closing(KafkaConsumer(bootstrap_servers=address, group_id="first")) as consumer:
        consumer.committed(TopicPartition("first", 0))
    for topic in ("__transaction_state", "__consumer_offsets"):
        _wait_for_files(brokers, topic, INTERNAL_PARTITIONS)


def in_sync(admin: KafkaAdminClient, name: str, partitions: int, replicas: int) -> bool:
    """Whether every partition of a topic has a leader and so many replicas that are in sync."""
    try:
        described = admin.describe_topics([name])[0]["partitions"]
    except KafkaError:
        return False
    ready = [one for one in described if one["leader_id"] >= 0 and len(one["isr_nodes"]) >= replicas]
    return len(ready) == partitions


def _wait_for_files(brokers: Iterable[KafkaBroker], topic: str, partitions: int) -> None:
    for broker in brokers:
        eventually(partial(broker.has_files, topic, partitions), within=60, what=f"partition.metadata of {topic}")


def _renamed(properties: str, node: int) -> str:
    """The same with a node id and a directory id of its own."""
    own = {"node.id": str(node), "directory.id": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")}
    pairs = [line.partition("=") for line in properties.splitlines()]
    return "".join(f"{key}{equals}{own.get(key, value)}\n" for key, equals, value in pairs)
