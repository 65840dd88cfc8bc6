"""``contribd map`` on a mapping file of its own, for tests."""

from pathlib import Path

from typer.testing import CliRunner, Result

from contribd.cli import app

CONFIG = """
kafka: {bootstrap_servers: "localhost:9092", group_id: g, prices: prices, results: results}
ads: {endpoints: ["ws://localhost:15000/WebSocket"], service: TRCC, user: u, position: 10.0.0.1/net}
mappings: [m.yaml]
"""


def written(folder: Path, mapping: str) -> Path:
    """A configuration with ``mapping`` as its one mapping file."""
    (folder / "m.yaml").write_text(mapping)
    path = folder / "contribd.yaml"
    path.write_text(CONFIG)
    return path


def run(config: Path, *arguments: str, sent: bytes) -> Result:
    """What the command does of what is sent to its standard input."""
    return CliRunner().invoke(app, ["map", "-c", str(config), *arguments], input=sent)
