"""A real Apache Kafka broker (KRaft, broker and controller in one process) on this machine."""

import itertools
import os
import signal
import subprocess
import uuid
from contextlib import closing
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from tests.integration.rigs.java_build import REPOSITORY, built
from tests.integration.rigs.java_server import JavaServer
from tests.integration.rigs.spawned import Child, listening
from tests.integration.rigs.wait import eventually

from contribd.simulation.demo.embedded_broker import free_port

START_LIMIT_SECONDS = 60.0
INTERNAL_PARTITIONS = 4  # instead of 50: each is a folder to make and files to open

_CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
offsets.topic.num.partitions={internal}
offsets.topic.replication.factor=1
transaction.state.log.num.partitions={internal}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

_topics = itertools.count(1)

_formatted: dict[str, bytes] = {}
"""The files of an empty storage, of which every broker gets a copy: no port or path is in them, and the tool that makes
them is a Java process of more than a second."""


def kafka_libs() -> Path:
    """The folder with the broker's jars, fetched by Maven where they are not here yet."""
    return built(REPOSITORY / "tests/integration/kafka", ["dependency:copy-dependencies"]) / "libs"


def unique(name: str) -> str:
    """A name for a topic, group or transactional.id that no other test, session or run has used."""
    return f"{name}-{os.getpid()}-{next(_topics)}-{uuid.uuid4().hex[:6]}"


class KafkaBroker(JavaServer):
    """One broker with its data in ``directory``; address and data outlive stop, kill and restart.

    ``advertised_port`` is for a proxy in front of the broker: clients are told to come back to that port.
    """

    has_static_members = True

    def __init__(self, directory: Path, *, advertised_port: int | None = None) -> None:
        super().__init__(directory, name="Kafka")
        self._advertised_port = advertised_port

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients: the proxy's where there is one."""
        return f"127.0.0.1:{self._advertised_port or self._port}"

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
        configs = {key.replace("_", "."): value for key, value in settings.items()}
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{self._port}")
        try:
            admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
            eventually(lambda: _has_leaders(admin, name, partitions), what=f"leaders for topic {name}")
        finally:
            admin.close()
        self._wait_for_files(name, partitions)
        return name

    def _wait_for_files(self, topic: str, partitions: int) -> None:
        # Kafka writes these files a little later, and a broker killed before it did throws the partition's log away
        # when it starts again ("marked stray").
        files = [self.directory / "data" / f"{topic}-{number}" / "partition.metadata" for number in range(partitions)]
        eventually(lambda: all(file.exists() for file in files), within=60, what=f"partition.metadata of topic {topic}")

    def _settle_in(self) -> None:
        # Made at their first use otherwise: seconds into some test, and perhaps just before it kills the broker.
        address = f"127.0.0.1:{self._port}"
        with closing(KafkaProducer(bootstrap_servers=address, transactional_id="first")) as producer:
            producer.init_transactions()
        with closing(KafkaConsumer(bootstrap_servers=address, group_id="first")) as consumer:
            consumer.committed(TopicPartition("first", 0))
        for topic in ("__transaction_state", "__consumer_offsets"):
            self._wait_for_files(topic, INTERNAL_PARTITIONS)

    def _choose_port(self) -> int:
        port = free_port()
        text = _CONFIGURATION.format(
            port=port,
            controller=free_port(),
            advertised=self._advertised_port or port,
            data=self.directory / "data",
            internal=INTERNAL_PARTITIONS,
        )
        (self.directory / "server.properties").write_text(text)
        self._format()
        return port

    def _format(self) -> None:
        data = self.directory / "data"
        if not _formatted:
            self._run_storage_tool()
            _formatted.update({file.name: file.read_bytes() for file in data.iterdir()})
        data.mkdir(exist_ok=True)
        for name, content in _formatted.items():
            (data / name).write_bytes(content)

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
        command = self._java("kafka.Kafka", "server.properties")
        return Child(command, cwd=self.directory, log=self.log)

    @staticmethod
    def _java(main: str, *arguments: str) -> list[str]:
        # The C1 compiler alone: tests are over before the better code would pay for its compilation.
        options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return ["java", *options, "-cp", f"{kafka_libs()}/*", main, *arguments]

    def _answers(self) -> bool:
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
            return any(not broker["is_fenced"] for broker in admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()


def _has_leaders(admin: KafkaAdminClient, name: str, partitions: int) -> bool:
    try:
        described = admin.describe_topics([name])[0]["partitions"]
    except KafkaError:
        return False
    return len(described) == partitions and all(one["leader_id"] >= 0 for one in described)
