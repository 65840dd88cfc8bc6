"""Alerts, recording rules and dashboard: each alert fires and clears, and all ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.rigs.needs import required
from tests.monitoring.alert_cases import CASES, QUIET, WRONG, AlertCase, series
from tests.monitoring.dashboard import dashboard
from tests.monitoring.rule_files import (
    ALERTS,
    DASHBOARD,
    FOLDER,
    OF_PROMETHEUS,
    RULES,
    anchor,
    exported,
    metrics_of,
    queries,
    recorded,
    rules,
)

DOCS = Path(__file__).parents[2] / "docs"
RUNBOOK = (DOCS / "runbook.md").read_text()
SECTIONS = dict(re.findall(r"^## (Contribd\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
SEVERITIES = {"critical", "warning", "info"}
NOT_ON_THE_DASHBOARD = {
    "contribd_build_info": "the version and the digest are on the status page",
    "contribd_posts_outstanding": "its bound is a setting; what matters is how long answers take",
    "contribd_clock_offset_seconds": "an alert asks for it",
    "contribd_republished_total": "only an order does that, and its answer says what came of it",
}
"""Metrics that no panel shows, and why."""

BY_NAME = {rule["alert"]: rule for rule in rules(ALERTS)}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and not required(), reason="promtool is not installed (Debian package prometheus)"
)


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", ALERTS, RULES)


@needs_promtool
def test_every_alert_fires_and_clears(tmp_path: Path) -> None:
    """All in one run of promtool: it is what takes the time."""
    file = tmp_path / "tests.yaml"
    tests = [alert_test(name) for name in CASES]
    content = {"rule_files": [str(ALERTS), str(RULES)], "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(content))
    promtool("test", "rules", file)


def alert_test(name: str) -> dict[str, Any]:
    """Quiet before, firing at the end of what is wrong, quiet again an hour after."""
    case, rule = CASES[name], BY_NAME[name]
    said = {key: shown(text, case) for key, text in rule["annotations"].items()}
    firing = {"exp_labels": {**case.labels, **rule["labels"]}, "exp_annotations": said}
    moments: list[tuple[int, list[Any]]] = [
        (QUIET - 1, []),
        (QUIET + WRONG - 2, [firing]),
        (QUIET + WRONG + 40, []),
    ]
    return {
        "interval": "1m",
        "name": name,
        "input_series": series(case),
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": expected} for minute, expected in moments
        ],
    }


def shown(text: str, case: AlertCase) -> str:
    """An annotation as it is read."""
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: case.labels[found[1]], text)
    return re.sub(r"\{\{ \$value.*?\}\}", lambda _: case.value, text)


def test_every_alert_has_its_case() -> None:
    assert sorted(CASES) == sorted(BY_NAME)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_an_alert_keeps_to_the_conventions(name: str) -> None:
    """Those of the monitoring mixins: name, severity, summary, description, runbook_url."""
    rule = BY_NAME[name]
    assert name.startswith("Contribd")
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"].endswith(f"/runbook#{anchor(name)}")
    assert rule["annotations"]["summary"].endswith(".")
    assert "{{" not in rule["annotations"]["summary"]
    assert "for" in rule


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_a_query_asks_for_metrics_that_there_are(place: str, query: str) -> None:
    unknown = metrics_of(query) - exported() - recorded() - OF_PROMETHEUS
    assert not unknown, place


def test_what_is_recorded_is_asked_for() -> None:
    asked = {name for _, query in queries() for name in metrics_of(query)}
    assert recorded() <= asked


def test_every_metric_is_on_the_dashboard_or_said_not_to_be() -> None:
    behind = {rule["record"]: metrics_of(rule["expr"]) for rule in rules(RULES)}
    shown = {name for place, query in queries() if place.startswith(DASHBOARD.name) for name in metrics_of(query)}
    while derived := {name for each in shown & behind.keys() for name in behind[each]} - shown:
        shown |= derived
    ours = {name for name in exported() if name.startswith("contribd_")}
    shown |= {name for name in ours if re.sub("_(bucket|sum|count)$", "_bucket", name) in shown}
    assert ours - shown == set(NOT_ON_THE_DASHBOARD)


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert() -> None:
    assert sorted(SECTIONS) == sorted(BY_NAME)
    for name, text in SECTIONS.items():
        parts = re.findall(r"^\*\*(.*?)\*\*", text, re.MULTILINE)
        assert parts == ["It means.", "Look at.", "Do.", "It is over when"], name


def test_the_dashboard_is_what_its_script_makes() -> None:
    assert json.loads(DASHBOARD.read_text()) == dashboard(), "run python -m tests.monitoring.dashboard"


def test_the_page_on_monitoring_names_every_file() -> None:
    text = (DOCS / "monitoring.md").read_text()
    assert {file.name for file in FOLDER.iterdir()} == set(re.findall(r"config/monitoring/([\w.-]+)", text))
