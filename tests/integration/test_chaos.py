"""The promises under faults, on the real things. ``make chaos`` runs the long form."""

from pathlib import Path

import pytest
from tests.integration.rigs import needs
from tests.integration.rigs.chaos import SHORT, Chaos


@pytest.mark.timeout(420)
def test_nothing_is_lost_doubled_or_reordered_whatever_dies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs.java_and_maven()
    chaos = Chaos(tmp_path, SHORT, print)
    report = chaos.run()
    with capsys.disabled():
        print("\n" + report.text())  # noqa: T201 - the numbers are the point of the run
    assert report.kept, report.text()
