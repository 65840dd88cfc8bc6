"""``contribd schema``: what it prints is a JSON Schema, and says of a file what the loader says."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contribd.cli import schema
from contribd.config.document import load_document, parse_document
from contribd.mapping.durations import DURATION_PATTERN

ROOT = Path(__file__).parents[2]
jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")


def printed(subject: str) -> dict[str, Any]:
    run = CliRunner().invoke(schema.app, [subject])
    assert run.exit_code == 0, run.output
    document: dict[str, Any] = json.loads(run.stdout)
    return document


def plain(data: Any) -> Any:
    """Data from YAML as JSON has it."""
    return json.loads(json.dumps(data, default=lambda value: float(value) if isinstance(value, Decimal) else value))


def errors(subject: str, data: Any) -> list[str]:
    return [error.json_path for error in jsonschema.Draft202012Validator(printed(subject)).iter_errors(plain(data))]


@pytest.mark.parametrize("subject", ["config", "mapping", "result", "answers", "event", "manifest"])
def test_it_prints_a_json_schema_of_2020_12(subject: str) -> None:
    document = printed(subject)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(document)


def test_another_subject_is_a_mistake_of_usage() -> None:
    assert CliRunner().invoke(schema.app, ["other"]).exit_code == 2


def test_the_example_is_right_by_its_schema_variables_and_all() -> None:
    assert errors("config", load_document(ROOT / "config" / "contribd.yaml").data) == []
    assert errors("mapping", load_document(ROOT / "config" / "mappings" / "fx-spot.yaml").data) == []


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("ack_timeout: 15", "$.ads.ack_timeout"),
        ("pack: 0", "$.ads.pack"),
        ("pack: 1001", "$.ads.pack"),
        ("max_outstanding: many", "$.ads.max_outstanding"),
        ("acktimeout: 15s", "$.ads"),
        ("endpoints: [http://a]", "$.ads.endpoints"),
        ("reconnect: {first: 1}", "$.ads.reconnect.first"),
        ("auth: {type: other}", "$.ads.auth"),
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(line: str, place: str) -> None:
    base = "kafka: {bootstrap_servers: 'a:1'}\nads:\n  service: S\n"
    endpoints = "" if line.startswith("endpoints") else "  endpoints: ws://a:1\n"
    assert errors("config", parse_document((base + endpoints).encode(), Path("c")).data) in ([], ["$.ads"])
    assert errors("config", parse_document(f"{base}{endpoints}  {line}\n".encode(), Path("c")).data) == [place]


def test_durations_appear_as_they_are_written() -> None:
    ads = printed("config")["$defs"]["Ads"]["properties"]
    assert ads["ack_timeout"]["default"] == "15s"
    assert ads["ack_timeout"]["anyOf"][0]["pattern"] == DURATION_PATTERN
    assert ads["max_outstanding"]["default"] == 500
