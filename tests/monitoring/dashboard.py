"""Makes config/monitoring/dashboard.json, for Grafana 10 or newer: ``python -m tests.monitoring.dashboard``."""

import json
from typing import Any, Final

from tests.monitoring.rule_files import DASHBOARD

WIDTH: Final = 24
HEIGHT: Final = 8
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WHERE: Final = 'job=~"$job", instance=~"$instance"'

STATES: Final = {
    "contributing": "green",
    "degraded": "yellow",
    "paused": "blue",
    "not_contributing": "red",
    "stopping": "text",
}

Panel = tuple[str, str, int, str, list[tuple[str, str]], str]
"""Title, type, width, unit, queries with their legends, and what it shows, for people."""


def _quantile(share: float, buckets: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({buckets}{{{_WHERE}}}[$__rate_interval])))"


PANELS: Final[list[Panel]] = [
    (
        "Verdict",
        "state-timeline",
        12,
        "none",
        [(f"contribd_verdict{{{_WHERE}}} == 1", "{{instance}} {{state}}")],
        "What each instance does, in one of five words.",
    ),
    (
        "Ready",
        "stat",
        4,
        "none",
        [(f"sum(contribd_ready{{{_WHERE}}})", "instances")],
        "Instances that can contribute.",
    ),
    (
        "Last Ack",
        "stat",
        4,
        "s",
        [(f"time() - max(contribd_last_ack_timestamp_seconds{{{_WHERE}}} > 0)", "ago")],
        "Since the ADS last accepted a post of any instance.",
    ),
    (
        "Live quotes",
        "stat",
        4,
        "none",
        [(f"sum(contribd_live_quotes{{{_WHERE}}})", "quotes")],
        "Quotes in the market that contribd would withdraw.",
    ),
    (
        "Results by status",
        "timeseries",
        12,
        "ops",
        [(f"sum by (status) (rate(contribd_results_total{{{_WHERE}}}[$__rate_interval]))", "{{status}}")],
        "What became of the records.",
    ),
    (
        "Posts by answer",
        "timeseries",
        12,
        "ops",
        [(f"sum by (answer) (rate(contribd_posts_total{{{_WHERE}}}[$__rate_interval]))", "{{answer}}")],
        "What the ADS said to the posts.",
    ),
    (
        "Refused and unanswered",
        "timeseries",
        12,
        "percentunit",
        [
            (f"contribd:refused_posts:ratio_rate5m{{{_WHERE}}}", "{{instance}} refused"),
            (f"contribd:unanswered_posts:ratio_rate5m{{{_WHERE}}}", "{{instance}} unanswered"),
        ],
        "Share of the posts.",
    ),
    (
        "Not posted, and refused, by code",
        "timeseries",
        12,
        "ops",
        [
            (
                f'sum by (status, code) (rate(contribd_results_total{{{_WHERE}, code!=""}}[$__rate_interval]))',
                "{{status}} {{code}}",
            )
        ],
        "NAKs by the ADS's code; rejected and suppressed records by contribd's. docs/answers.md explains the NAKs.",
    ),
    (
        "Post to answer",
        "timeseries",
        12,
        "s",
        [(_quantile(share, "contribd_ack_seconds_bucket"), name) for share, name in ((0.5, "median"), (0.99, "99 %"))]
        + [(f"contribd:ack_seconds:p99_rate5m{{{_WHERE}}}", "{{instance}} 99 %, 5 min")],
        "How long the ADS takes.",
    ),
    (
        "Price to post",
        "timeseries",
        12,
        "s",
        [
            (_quantile(share, "contribd_delivery_seconds_bucket"), name)
            for share, name in ((0.5, "median"), (0.99, "99 %"))
        ]
        + [(f"contribd:delivery_seconds:p99_rate5m{{{_WHERE}}}", "{{instance}} 99 %, 5 min")],
        "From the record's Kafka timestamp to its post.",
    ),
    (
        "Behind the end of the partitions",
        "timeseries",
        12,
        "none",
        [
            (f"contribd_consumer_lag_records{{{_WHERE}}}", "{{topic}}:{{partition}}"),
            (f"contribd:consumer_lag_records:sum{{{_WHERE}}}", "{{instance}} all"),
        ],
        "Records that were not consumed yet.",
    ),
    (
        "Waiting",
        "timeseries",
        12,
        "none",
        [(f"contribd_records_waiting{{{_WHERE}}}", "{{instance}}")],
        "Records consumed and not yet settled.",
    ),
    (
        "Sessions and services",
        "state-timeline",
        12,
        "none",
        [
            (f"contribd_session_up{{{_WHERE}}}", "{{instance}} {{endpoint}}"),
            (f"contribd_service_up{{{_WHERE}}}", "{{instance}} {{service}}"),
        ],
        "1: logged in to this ADS; the service is Up.",
    ),
    (
        "Sessions lost",
        "timeseries",
        12,
        "none",
        [
            (
                f"sum by (instance, reason) (increase(contribd_reconnects_total{{{_WHERE}}}[$__rate_interval]))",
                "{{instance}} {{reason}}",
            )
        ],
        "Or not established, by reason.",
    ),
    (
        "RICs to look at",
        "timeseries",
        12,
        "none",
        [
            (f"contribd_silent_rics{{{_WHERE}}}", "{{instance}} silent"),
            (f"contribd_isolated_instruments{{{_WHERE}}}", "{{instance}} {{state}}"),
        ],
        "Silent: without a price for too long. The others are posted by themselves.",
    ),
    (
        "Withdrawn, late, stamped in the future",
        "timeseries",
        12,
        "ops",
        [
            (
                f"sum by (reason, status) (rate(contribd_withdrawals_total{{{_WHERE}}}[$__rate_interval]))",
                "withdrawn: {{reason}} {{status}}",
            ),
            (
                f"sum(rate(contribd_unmatched_answers_total{{{_WHERE}}}[$__rate_interval]))",
                "answers after their timeout",
            ),
            (f"sum(rate(contribd_future_timestamps_total{{{_WHERE}}}[$__rate_interval]))", "stamped in the future"),
        ],
        "Quotes withdrawn; answers that belong to no post in flight; records stamped in the future.",
    ),
    (
        "Pauses in force",
        "timeseries",
        12,
        "none",
        [
            (f"contribd_pauses{{{_WHERE}}}", "{{instance}}"),
        ],
        "Orders not to post; /status says what, who, why and since when.",
    ),
    (
        "The oldest pause",
        "stat",
        12,
        "s",
        [(f"time() - (contribd_paused_since_timestamp_seconds{{{_WHERE}}} > 0)", "{{instance}}")],
        "For how long it has been in force.",
    ),
    (
        "Configuration loaded",
        "stat",
        12,
        "s",
        [
            (
                f"time() - (contribd_config_last_reload_success_timestamp_seconds{{{_WHERE}}} > 0)",
                "{{instance}}",
            )
        ],
        "How long ago the configuration in force was loaded.",
    ),
    (
        "Configuration and clock",
        "state-timeline",
        12,
        "none",
        [
            (f"contribd_config_last_reload_successful{{{_WHERE}}}", "{{instance}} last load taken"),
            (f"contribd_clock_synchronized{{{_WHERE}}}", "{{instance}} clock synchronised"),
        ],
        "1: yes.",
    ),
    (
        "Memory",
        "timeseries",
        12,
        "bytes",
        [(f"process_resident_memory_bytes{{{_WHERE}}}", "{{instance}}")],
        "Of the daemons.",
    ),
]


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "uid": "contribd",
        "title": "contribd",
        "tags": ["contribd"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                _datasource(),
                _variable("job", "contribd_ready"),
                _variable("instance", 'contribd_ready{job=~"$job"}'),
            ]
        },
        "panels": _placed(),
    }


def _placed() -> list[dict[str, Any]]:
    x = y = 0
    placed = []
    for number, panel in enumerate(PANELS, start=1):
        if x + panel[2] > WIDTH:
            x, y = 0, y + HEIGHT
        placed.append({"id": number, "gridPos": {"x": x, "y": y, "w": panel[2], "h": HEIGHT}, **_panel(panel)})
        x += panel[2]
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    title, kind, _, unit, queries, text = panel
    defaults: dict[str, Any] = {"unit": unit}
    if kind == "stat":
        defaults["noValue"] = "-"
    return {
        "title": title,
        "description": text,
        "type": kind,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": _colours() if title == "Verdict" else []},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
            for at, (query, legend) in enumerate(queries)
        ],
    }


def _colours() -> list[dict[str, Any]]:
    """Each state of the verdict in its colour."""
    return [
        {
            "matcher": {"id": "byRegexp", "options": f".* {state}$"},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for state, colour in STATES.items()
    ]


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(name: str, series: str) -> dict[str, Any]:
    query = f"label_values({series}, {name})"
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


if __name__ == "__main__":
    DASHBOARD.write_text(json.dumps(dashboard(), indent=2) + "\n")
