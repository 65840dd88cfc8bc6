"""The files below config/monitoring/, and the names of metrics in their queries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import promql_parser as promql
import yaml
from tests.ops.samples import snapshot

from contribd.ops.metrics import build_registry

FOLDER: Final = Path(__file__).parents[2] / "config" / "monitoring"
ALERTS, RULES, DASHBOARD = FOLDER / "alerts.yaml", FOLDER / "rules.yaml", FOLDER / "dashboard.json"

OF_PROMETHEUS: Final = {"up"}
"""What Prometheus itself makes for every target."""


def rules(file: Path) -> list[dict[str, Any]]:
    """All rules of a file."""
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    """What the recording rules make."""
    return {rule["record"] for rule in rules(RULES)}


def exported() -> set[str]:
    """Every series that the daemon serves."""
    families = build_registry(snapshot).collect()
    return {sample.name for family in families for sample in family.samples if not sample.name.endswith("_created")}


def queries() -> Iterator[tuple[str, str]]:
    """Where a query stands, and the query, of all files."""
    for file in (ALERTS, RULES):
        for rule in rules(file):
            yield f"{file.name}: {rule.get('alert') or rule['record']}", rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield f"{DASHBOARD.name}: {panel['title']}", target["expr"].replace("$__rate_interval", "5m")


def metrics_of(query: str) -> set[str]:
    """The names of metrics in a query. Raises ValueError where it is no PromQL."""
    return set(_names(promql.parse(query)))


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, promql.VectorSelector):
        assert node.name, "a selector without a name would ask for everything"
        yield node.name
    elif isinstance(node, promql.MatrixSelector):
        yield from _names(node.vector_selector)
    elif isinstance(node, promql.BinaryExpr):
        yield from _names(node.lhs)
        yield from _names(node.rhs)
    elif isinstance(node, promql.Call):
        for argument in node.args:
            yield from _names(argument)
    elif isinstance(node, promql.AggregateExpr | promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        yield from _names(node.expr)
    else:
        assert isinstance(node, promql.NumberLiteral | promql.StringLiteral), f"{type(node)} is not looked into"


def anchor(heading: str) -> str:
    """The anchor that code hosts make of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
