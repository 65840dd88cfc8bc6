"""The promises under faults, on the real things. ``make chaos`` runs the long form."""

from pathlib import Path

import pytest
from tests.integration.rigs.chaos import SHORT, Chaos
from tests.integration.rigs.cluster_rig import KafkaCluster


@pytest.mark.timeout(420)
def test_nothing_is_lost_doubled_or_reordered_whatever_dies(
    tmp_path: Path, kafka_cluster: KafkaCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    chaos = Chaos(tmp_path, SHORT, print, kafka_cluster)
    report = chaos.run()
    with capsys.disabled():
        print("\n" + report.text())  # noqa: T201 - the numbers are the point of the run
    assert report.kept, report.text()
    assert report.poisoned == {"UNANSWERED": SHORT.flow.poison}
    assert report.unreadable == {"REJECTED": SHORT.flow.unreadable}
    assert report.internal == [], report.text()
