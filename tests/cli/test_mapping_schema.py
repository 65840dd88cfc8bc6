"""``contribd schema mapping``: an independent validator says of files, right and mistaken, what the loader says."""

import copy
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contribd.config.document import load_document, parse_document
from contribd.config.json_schema import config_schema, mapping_schema
from contribd.mapping.rules import MappingFile

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "daemon" / "contribd" / "starter" / "mappings"
FILES = sorted(
    file
    for folder in (ROOT / "config", STARTER)
    for file in folder.rglob("*.yaml")
    if not file.name.startswith("contribd.")
    and re.search("^(mappings|defaults|include):", file.read_text(), re.MULTILINE)
)
CONFIGURATIONS = sorted([*(ROOT / "config").rglob("contribd.yaml"), STARTER.parent / "contribd.yaml"])
EXAMPLES = [
    (page.name, block)
    for page in sorted((ROOT / "docs").glob("*.md"))
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    if re.search("^(mappings|tests):", block, re.MULTILINE) and not block.startswith("kafka:")
]
VALIDATOR = jsonschema.Draft202012Validator(mapping_schema())

EVERYTHING = """
include: [a.yaml]
tables:
  csv: {file: a.csv, key: [id, isin], delimiter: ";", numbers: [tick, lot]}
  rows: {a: {x: 1, z: "2"}}
  codes: {USD: 840}
defaults:
  ric: "X="
  let: {a: bid}
  service: S
  post: refresh
  fields: {BID: bid, ASK: {from: ask, round: 5}}
  checks: [bid > 0, {that: true, text: no}]
  withdraw: [BID]
mappings:
  - name: everything
    when: a == 1
    ric: "{pair}="
    service: S
    post: update
    let: {mid: (bid + ask) / 2}
    fields:
      A: bid
      B: {from: bid, as: real, round: 2, missing: skip}
      C: {value: null}
      D: {from: ccy, lookup: {USD: 840, EUR: null}, default: 0}
      E: {from: price, as: fraction, fraction: {of: 32, third_digit: decimal, point: decimals}}
      F: {from: at, as: time, zone: Europe/London, fold: later, gap: forward, format: "HH:mm", unit: ms}
    checks: [bid <= ask, {that: bid > 0, text: no bid}]
    withdraw: [A, B]
    publish:
      min_change: {A: 0.5, B: 5%, F: ignore}
      min_interval: 200ms
      max_move: {A: 1, B: 2.5 %}
      max_move_within: 10m
      hours: ["Mon-Fri 07:00-18:00 Europe/London"]
      holidays: uk.csv
  - {name: nothing, when: true, ignore: true}
  - name: curve
    each: points
    all_or_nothing: true
    ric: "{item.ric}"
    posts:
      - {ric: "{pair}=", fields: {BID: item.bid}}
      - when: page
        each: rows
        let: {a: bid}
        service: PAGES
        post: refresh
        fields: {ROW: {from: a}}
        checks: [bid > 0]
        publish: {hours: "07:00-18:00 UTC", min_change: null}
tests:
  - name: one
    record: {a: 1}
    key: EUR
    headers: {desk: fx, seq: 7}
    timestamp: 5
    topic: t
    partition: 1
    offset: 2
    mapping: everything
    post: {ric: EUR=, service: S, type: update, fields: {A: 1, B: null}}
  - {value: x, timestamp: "2026-11-22T10:15:00Z", post: {ric: EUR=, including: {A: 1}}}
  - record: {a: 2}
    posts:
      - {ric: EUR=, service: S, type: update, fields: {A: 1}}
      - {ric: EUR=, including: {A: 1}}
      - {ric: EUR=, service: S, rejected: BadValue, text: x}
  - {record: {a: 2}, posts: {including: [{ric: EUR=, fields: {A: 1}}]}}
  - {record: {a: 3}, last: {A: 1, B: null}, last_at: 5, at: "2026-11-22T10:15:00Z", suppressed: Unchanged}
  - {record: {a: 3}, last: {EUR=: {A: 1}}, suppressed: {code: TooFar, text: A}}
  - {record: {a: 3}, posts: [{ric: EUR=, service: S, suppressed: TooSoon, text: x}]}
  - {value: null, ignored: true}
  - {value: {base64: AA==}, rejected: BadRecord}
  - {value: {size: 5}, rejected: {code: BadRecord, text: x}}
"""
SPOILED: list[Any] = [None, True, 7, -1, "", " x ", "text", [], [7], {}, {"unknown": 7}]

KNOWN = (
    # What the schema leaves to the loader: it is said in words that a schema has none for.
    (r"timestamp", "a text that is no time"),
    (r"^tests\.4(\.|$)", "that what was last posted was so before the record arrives"),
    (r"^tables", "what a table holds"),
    (r"^(include|mappings|tests|defaults|tables)$", "null"),
)
LEFT_TO_THE_LOADER = re.compile("|".join(pattern for pattern, _ in KNOWN))


def data_of(text: str) -> Any:
    document = parse_document(text.encode(), Path("m.yaml"))
    assert document.problems == []
    return document.data


def plain(data: Any) -> Any:
    return json.loads(json.dumps(data, default=lambda value: float(value) if isinstance(value, Decimal) else value))


def schema_takes(data: Any) -> bool:
    return bool(VALIDATOR.is_valid(plain(data)))


def loader_takes(data: Any) -> bool:
    try:
        MappingFile.model_validate(data)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_mapping_file_of_ours_passes(file: Path) -> None:
    assert [error.json_path for error in VALIDATOR.iter_errors(plain(load_document(file).data))] == []


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_configuration_of_ours_passes(file: Path) -> None:
    validator = jsonschema.Draft202012Validator(config_schema())
    assert [error.json_path for error in validator.iter_errors(plain(load_document(file).data))] == []


def test_there_are_files_to_pass() -> None:
    assert len(FILES) >= 10
    assert len(CONFIGURATIONS) >= 9
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_every_example_of_the_documentation_passes(page: str, block: str) -> None:
    assert schema_takes(data_of(block)), page


def test_every_key_is_in_what_is_spoiled_and_has_its_description() -> None:
    data = data_of(EVERYTHING)
    assert schema_takes(data)
    assert loader_takes(data)
    used = {step for path in places(data) for step in path if isinstance(step, str)}
    obvious = {"name", "ric", "service", "type", "text", "code", "that", "post", "when", "file", "delimiter"}
    for section in sections(mapping_schema()):
        if section.get("title") in {"FieldSpec", "FractionSpec"}:
            continue  # described in docs/mapping.md
        for key, about in section["properties"].items():
            assert key in used, key
            assert key in obvious or about.get("description") or "$ref" in about, key


def sections(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is False:
            yield schema
        for inner in schema.values():
            yield from sections(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from sections(inner)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in inside:
        yield from places(value, (*path, step))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    made = copy.deepcopy(data)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return made


def spoiled(data: Any) -> Iterator[tuple[str, Any]]:
    """The data with one thing wrong, or only other than it was."""
    for path in places(data):
        name = ".".join(map(str, path))
        for value in SPOILED:
            yield f"{name} = {value!r}", changed(data, path, value)
        here = data
        for step in path:
            here = here[step]
        if isinstance(here, dict):
            yield f"{name} + unknown", changed(data, path, {**here, "unknown": 7})
            for key in here:
                yield (
                    f"{name} - {key}",
                    changed(data, path, {name: value for name, value in here.items() if name != key}),
                )


def test_what_the_loader_refuses_the_schema_refuses_and_nothing_else() -> None:
    data = data_of(EVERYTHING)
    refused = 0
    disagreed: list[str] = []
    for name, made in spoiled(data):
        takes = loader_takes(made)
        refused += not takes
        if takes is not schema_takes(made) and not LEFT_TO_THE_LOADER.search(name.partition(" ")[0]):
            disagreed.append(f"{name}: the loader {'takes' if takes else 'refuses'} it")
    assert disagreed == []
    assert refused > 500
