"""contribd itself as a process, the way a service manager starts it."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tests.integration.rigs.spawned import Child
from tests.integration.rigs.wait import eventually

from contribd.simulation.demo.embedded_broker import free_port

MAPPING: Mapping[str, Any] = {
    "mappings": [
        {
            "name": "fx-spot",
            "when": 'asset == "FX" and tenor == "SP"',
            "ric": '{"NAK.DeniedBySrc." if pair == "USDCZK" else "NAK13." if pair == "USDHUF" else ""}{pair}=TRCC',
            "fields": {
                "BID": "bid",
                "ASK": "ask",
                "MID_PRICE": {"from": "(bid + ask) / 2", "round": 5},
                "BIDSIZE": {"from": "sizes[0].bid", "missing": "skip"},
                "QUOTIM": {"from": "quoted_at", "as": "time"},
                "CTBTR_1": {"value": "ACME"},
            },
            "checks": ["bid <= ask"],
            "withdraw": ["BID", "ASK", "MID_PRICE", "BIDSIZE"],
        }
    ]
}
"""The mapping of the simulated pricing engine's records; two pairs are refused by the test ADS."""


class Daemon:
    """One contribd. Configuration, log and HTTP address outlive stop, kill and restart."""

    def __init__(
        self,
        directory: Path,
        *,
        kafka: str,
        endpoints: Sequence[str],
        topics: tuple[str, str],
        group: str,
        instance: str = "test",
        mapping: Mapping[str, Any] = MAPPING,
        **sections: Mapping[str, Any],
    ) -> None:
        """``topics``: prices and results. ``sections`` are merged over the configuration, section by section."""
        self.directory = directory
        self.log = directory / "contribd.log"
        self._port = free_port()
        self._child: Child | None = None
        config: dict[str, Any] = {
            "instance": instance,
            "kafka": {
                "bootstrap_servers": kafka,
                "group_id": group,
                "prices": topics[0],
                "results": topics[1],
                "start_from": "earliest",
            },
            "ads": {"endpoints": list(endpoints), "service": "TRCC", "reconnect": {"first": "100ms", "max": "1s"}},
            "mappings": ["mapping.yaml"],
            "http": {"listen": f"127.0.0.1:{self._port}"},
        }
        for name, section in sections.items():
            config[name] = {**config.get(name, {}), **section}
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "mapping.yaml").write_text(yaml.safe_dump(dict(mapping)))
        self.config = directory / "contribd.yaml"
        self.config.write_text(yaml.safe_dump(config))

    @property
    def url(self) -> str:
        """Of its HTTP endpoint."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def address(self) -> str:
        """``host:port`` of its HTTP endpoint."""
        return f"127.0.0.1:{self._port}"

    @property
    def child(self) -> Child:
        assert self._child is not None, "the daemon was never started"
        return self._child

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def start(self, *, ready: bool = True) -> None:
        """Start it; with ``ready`` return once ``/readyz`` says that it can contribute."""
        command = [sys.executable, "-m", "contribd", "run", "-c", str(self.config)]
        self._child = Child(command, cwd=self.directory, log=self.log)
        if ready:
            eventually(self.ready, within=60, what=f"contribd ready; its log: {self.log}")

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self.child.stop() if self._child is not None else 0

    def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def ready(self) -> bool:
        """Whether it can contribute just now."""
        if not self.alive:
            raise AssertionError(f"contribd has ended; the end of its log:\n{self.child.tail()}")
        try:
            self.get("/readyz")
        except OSError:
            return False
        return True

    def status(self) -> dict[str, Any]:
        """What ``/status`` says."""
        document: dict[str, Any] = json.loads(self.get("/status"))
        return document

    def memory(self) -> int:
        """Resident kilobytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def settled(self) -> bool:
        """Whether every record that there is has been settled."""
        view = self.status()
        return view["records_waiting"] == 0 and all(each["lag"] == 0 for each in view["partitions"])

    def results(self) -> int:
        """How many results it has settled since it started."""
        return sum(row["count"] for row in self.status()["results"])

    def get(self, path: str) -> str:
        """An HTTP GET; raises OSError where it is refused or answered with an error."""
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text
