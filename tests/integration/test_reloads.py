"""Many reloads under load on the real broker and the vendor's provider. ``make reloads`` runs the long form."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.reloads import PARTITIONS, ReloadRun


@pytest.mark.timeout(180)
def test_each_record_is_mapped_by_one_set_of_rules_however_often_these_change(
    tmp_path: Path, kafka: KafkaBroker, new_provider: Callable[..., Provider]
) -> None:
    run = ReloadRun(kafka, new_provider(), tmp_path, reloads=60, rate=300)
    for topic in run.topics:
        kafka.create_topic(topic, PARTITIONS)
    report = run.run()
    assert not report.faults, report.text()
    assert len(report.good_seconds) == len(report.bad_seconds) == 30
    assert report.records
    assert report.posts
    assert report.versions_seen > 1, report.text()
