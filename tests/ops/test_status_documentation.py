"""docs/operations.md: its table of `/status` and of the paths is what the daemon serves."""

import re
from pathlib import Path

from tests.ops.samples import snapshot

from contribd.ops.status import status_document

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_every_key_of_the_status_document_is_described_and_no_other() -> None:
    table = PAGE.partition("## The status document\n")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    described = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(described) == sorted(status_document(snapshot(), []))
