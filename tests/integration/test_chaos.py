"""The promises under faults, on the real things. ``make chaos`` runs the long form."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.integration.rigs.chaos import Chaos
from tests.integration.rigs.chaos_plan import SHORT, SHORT_CURVES
from tests.integration.rigs.cluster_rig import KafkaCluster
from tests.integration.rigs.version_flow import LACKING_EVERY


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


@pytest.mark.timeout(180)
@pytest.mark.parametrize("conflate", [False, True], ids=["each", "conflated"])
def test_of_a_curve_each_post_has_its_one_result_in_order_whatever_dies(
    tmp_path: Path, kafka: KafkaBroker, capsys: pytest.CaptureFixture[str], conflate: bool
) -> None:
    report = Chaos(tmp_path, replace(SHORT_CURVES, conflate=conflate), print, kafka).run()
    with capsys.disabled():
        print("\n" + report.text())  # noqa: T201 - the numbers are the point of the run
    assert report.kept, report.text()
    assert report.statuses.keys() - {"CONFLATED"} == {"ACK", "NAK", "REJECTED"}
    assert conflate or not report.statuses["CONFLATED"]
    assert report.statuses["REJECTED"] == -(-SHORT_CURVES.flow.curves // LACKING_EVERY)
    assert report.faults == {"daemon killed": 2, "ADS connection cut": 2}
    assert report.internal == [], report.text()
