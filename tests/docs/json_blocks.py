"""JSON in the documents, held against what it claims to be: a result, a record, an editor's task."""

import json
import re
from typing import Any, Final

import pytest
from tests.docs.blocks import Block
from tests.docs.shell_blocks import problems_of_line

from contribd.mapping.inputs import BadLine, from_line
from contribd.results.result import decode_result, result_schema

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

GNU: Final = "contribd.yaml:6:16: error: ads.ack_timeout: expected a duration; write the unit, as in 15s [C104]"
"""A line that an editor reads."""


def problems_of(block: Block) -> list[str]:
    """What is wrong with it."""
    try:
        documents = [json.loads(each) for each in documents_of(block.text)]
    except ValueError as error:
        return [str(error)]
    return [text for document in documents for text in _problems(document)]


def documents_of(text: str) -> list[str]:
    """JSON lines, or one document over several."""
    lines = text.strip().splitlines()
    return lines if all(line.startswith("{") and line.endswith("}") for line in lines) else [text]


def _problems(document: Any) -> list[str]:
    if not isinstance(document, dict):
        return ["expected an object"]
    if "source" in document:
        return _of_result(document)
    if "tasks" in document:
        return [text for task in document["tasks"] for text in _of_task(task)]
    return _of_record(document)


def _of_result(document: dict[str, Any]) -> list[str]:
    """A whole result, or some of its keys."""
    schema = result_schema()
    if "status" in document:
        decode_result(json.dumps(document).encode())
    else:
        schema["$defs"]["Result"]["required"] = []
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def _of_task(task: dict[str, Any]) -> list[str]:
    """Of Visual Studio Code: its command is one of ours, and its pattern finds what that writes."""
    pattern = task["problemMatcher"]["pattern"]
    found = re.match(pattern["regexp"], GNU)
    if found is None or found[pattern["line"]] != "6" or found[pattern["severity"]] != "error":
        return [f"the pattern does not find {GNU}"]
    return problems_of_line(task["command"])


def _of_record(document: dict[str, Any]) -> list[str]:
    """A record, as ``contribd map`` reads a line."""
    try:
        from_line(json.dumps(document).encode(), 1, "prices")
    except BadLine as error:
        return [str(error)]
    return []
