"""A real Prometheus with the rules that are shipped."""

import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from tests.integration.rigs.spawned import Child
from tests.monitoring.rule_files import FOLDER

from contribd.simulation.demo.embedded_broker import free_port


class Prometheus:
    """One that watches ``targets`` (host:port) every second."""

    def __init__(self, folder: Path, *targets: str) -> None:
        for file in FOLDER.glob("*.yaml"):
            (folder / file.name).write_text(file.read_text())
        config = yaml.safe_load((folder / "prometheus.yaml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": list(targets)}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self._address = f"127.0.0.1:{free_port()}"
        command = ["prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data"]
        self.child = Child(
            [*command, f"--web.listen-address={self._address}"], cwd=folder, log=folder / "prometheus.log"
        )

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer of its API; None while it does not answer."""
        address = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert self.child.alive, self.child.tail()
            return None

    def value(self, query: str) -> float | None:
        """What a query comes to, where it is one value."""
        found = self.get("query", query=query)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None
