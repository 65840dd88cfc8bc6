"""Everything a demo needs, on this machine: broker, simulated ADS, and the daemon as a process of its own."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import HOST, EmbeddedBroker, free_port

PRICES: Final = "prices"
RESULTS: Final = "contribution-results"
PARTITIONS: Final = 4
CLIENT: Final = {
    "session_timeout_ms": 6000,
    "heartbeat_interval_ms": 500,
    "fetch_max_wait_ms": 10,
    "group_instance_id": None,  # the embedded broker does not let a member come back by its name
}
"""For the embedded broker: it lets a group's first member wait for half of its session timeout, and holds a fetch for
most of its time even when there are records."""
READY_SECONDS: Final = 30.0
EXIT_SECONDS: Final = 45.0
"""Longer than the daemon's own bound on stopping."""
_POLL_SECONDS = 0.1
_HTTP_SECONDS = 5.0
_TAIL_LINES = 15


class StageError(Exception):
    """A part of the demo did not start or has died; the text says which, with the end of its log."""


class Stage:
    """A context manager: on leaving it every process it started has ended and its files are gone.

    ``heed`` is called several times a second while something is waited for; what it raises ends the wait.
    """

    def __init__(self, options: AdsOptions, heed: Callable[[], None] = lambda: None) -> None:
        self.ads = AdsServer(options)
        self._heed = heed
        self._stack = ExitStack()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def status_page(self) -> str:
        """The daemon's page for people."""
        return f"http://{HOST}:{self._port}/"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contribd-demo-")))
            topics = {PRICES: PARTITIONS, RESULTS: PARTITIONS}
            self.broker = stack.enter_context(EmbeddedBroker(topics, log=folder / "broker.log"))
            stack.callback(self.ads.stop)
            self.ads.start()
            self._port = free_port()
            self._log = folder / "contribd.log"
            self.config = folder / "contribd.yaml"
            self.config.write_text(self._configuration())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def start_daemon(self) -> None:
        """Starts it, and waits until it can contribute and has its partitions. Raises StageError."""
        self._stack.callback(self._kill_daemon)
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C is for the demo, which then stops the daemon in order.
            self._daemon = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "contribd", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while self._get("readyz") is None or len(self.status().get("partitions", [])) < PARTITIONS:
            self._heed()
            self.check()
            if time.monotonic() > deadline:
                msg = f"the daemon was not ready within {READY_SECONDS:g} s{self._tail()}"
                raise StageError(msg)
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raises StageError if the daemon is not running."""
        if self._daemon is not None and self._daemon.poll() is not None:
            msg = f"the daemon ended with exit code {self._daemon.returncode}{self._tail()}"
            raise StageError(msg)

    def status(self) -> dict[str, Any]:
        """The daemon's ``/status``; empty where it does not answer."""
        found = self._get("status")
        return {} if found is None else dict(json.loads(found))

    def stop_daemon(self) -> int:
        """Asks the daemon to stop, as a service manager does; its exit code. Raises StageError if it does not."""
        daemon = self._daemon
        if daemon is None:
            return 0
        daemon.terminate()
        deadline = time.monotonic() + EXIT_SECONDS
        while (code := daemon.poll()) is None:
            self._heed()
            if time.monotonic() > deadline:
                msg = f"the daemon did not end within {EXIT_SECONDS:g} s of SIGTERM{self._tail()}"
                raise StageError(msg)
            time.sleep(_POLL_SECONDS)
        return code

    def _kill_daemon(self) -> None:
        daemon = self._daemon
        if daemon is None or daemon.poll() is not None:
            return
        # Only after a failure or Ctrl-C: whatever it still had to do no longer matters.
        daemon.kill()
        daemon.wait()

    def _configuration(self) -> str:
        """The example configuration, with the addresses of this demo and waits short enough to watch."""
        example = find_example()
        config: dict[str, Any] = yaml.safe_load((example / "contribd.yaml").read_text())
        config["instance"] = "demo"
        config["kafka"] |= {
            "bootstrap_servers": self.broker.bootstrap_servers,
            "prices": PRICES,
            "results": RESULTS,
            "start_from": "earliest",
            "client": dict(CLIENT),
        }
        config["ads"] |= {
            "endpoints": [self.ads.url],
            "service": self.ads.ads.options.services[0],
            "user": "demo",
            "position": HOST,
            "reconnect": {"first": "250ms", "max": "2s"},
            "ack_timeout": "3s",
        }
        config["mappings"] = [str(example / "mappings" / "*.yaml")]
        config["http"] = {"listen": f"{HOST}:{self._port}"}
        config["log"] = {"level": "info", "format": "json"}
        return yaml.safe_dump(config, sort_keys=False)

    def _get(self, page: str) -> str | None:
        try:
            with urllib.request.urlopen(self.status_page + page, timeout=_HTTP_SECONDS) as answer:  # noqa: S310 - our own
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "; the end of its log:\n" + "\n".join(lines) if lines else ""


def find_example() -> Path:
    """The folder of the example configuration: beside the package where it is installed, else in its repository."""
    package = Path(__file__).resolve().parents[2]
    candidates = (package / "example", package.parents[1] / "config")
    for folder in candidates:
        if (folder / "contribd.yaml").is_file():
            return folder
    msg = f"the example configuration is not installed; looked in {' and '.join(map(str, candidates))}"
    raise StageError(msg)
