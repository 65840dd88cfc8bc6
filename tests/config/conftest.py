"""A configuration on disk to change piece by piece."""

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # kafka-python reads its schemas by importlib.resources.read_text, which Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("kafka")

MINIMAL = """\
kafka: {bootstrap_servers: "kafka1:9092"}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
"""
MAPPING = """\
mappings:
  - {name: spot, ric: "{pair}=TRCC", fields: {BID: bid}}
tests:
  - record: {pair: EUR, bid: 1.5}
    post: {ric: EUR=TRCC, fields: {BID: 1.5}}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration and its mapping files; gives the configuration's path."""

    def write(text: str = MINIMAL, **mappings: str) -> Path:
        folder = tmp_path / "mappings"
        folder.mkdir(exist_ok=True)
        for name, content in (mappings or {"spot": MAPPING}).items():
            (folder / f"{name}.yaml").write_text(content)
        file = tmp_path / "contribd.yaml"
        file.write_text(text)
        return file

    return write
