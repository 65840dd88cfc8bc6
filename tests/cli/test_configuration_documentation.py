"""The example of docs/configuration.md: what it shows of two mistakes is what `contribd check` prints."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contribd.cli import app

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
CONFIG = """\
kafka:
  bootstrap_servers: kafka1:9092
ads:
  endpoints: [ws://ads1:15000/WebSocket]
  service: TRCC
  ack_timeout: 15
"""
MAPPING = """\
mappings:
  - name: fx-spot
    when: asset == "FX"
    ric: "{pair}=TRCC"
    let: {mid: (bid + ask) / 2}
    fields:
      BID: bid
      ASK: ask
      MID_2: {from: "rund(mid, 2)"}
"""


def test_the_mistakes_shown_are_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mappings").mkdir()
    Path("contribd.yaml").write_text(CONFIG)
    Path("mappings/fx.yaml").write_text(MAPPING)
    done = CliRunner().invoke(app, ["check", "--no-env", "-c", "contribd.yaml"])
    shown = re.search(r"```text\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert shown is not None
    assert done.exit_code == 78
    assert done.stderr == shown[1]
