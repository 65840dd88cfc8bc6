"""The example of docs/plan.md: what it shows is what the command prints."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contribd.cli import app

DOCUMENT = Path(__file__).parents[2] / "docs" / "plan.md"
CONFIG = """\
kafka: {{bootstrap_servers: "kafka1:9092"}}
ads: {{endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}}
mappings: [{name}-mappings.yaml]
"""
DIGEST = re.compile(r"\([0-9a-f]{12}\)")
"""It changes with every setting that there is."""


def test_the_example_is_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```(yaml|json|text)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    current, candidate, records, shown = (text for _, text in blocks[:4])
    monkeypatch.chdir(tmp_path)
    for name, mappings in (("current", current), ("candidate", candidate)):
        Path(f"{name}-mappings.yaml").write_text(mappings)
        Path(f"{name}.yaml").write_text(CONFIG.format(name=name))
    Path("records.jsonl").write_text(records)
    command = ["plan", "-c", "candidate.yaml", "--against", "current.yaml", "--file", "records.jsonl"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2, done.output
    assert DIGEST.sub("()", shown) == DIGEST.sub("()", done.stdout)
