"""What is written, held against its JSON Schema wherever a test has it written or reads it.

The doors: every result is encoded by ``ResultEncoder.encode``, every event by ``encode_event``, every manifest goes
through ``ExportFolder.commit``; in tests all three look at what they give out (``validated``, which the first conftest
uses). What other processes have written is looked at where the tests read it: ``checked_result``, ``checked_event``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import jsonschema_rs
import msgspec

from contribd import trail
from contribd.audit import export_folder
from contribd.audit.events import encode_event, event_schema
from contribd.audit.manifest import manifest_schema, written
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.results.result import result_schema

ENCODE = ResultEncoder.encode
"""As the daemon has it."""

_SCHEMAS = {"result": result_schema, "event": event_schema, "manifest": manifest_schema}


@cache
def _validator(subject: str) -> Any:
    # Compiled: 36 µs a result, where jsonschema takes 1,600.
    return jsonschema_rs.validator_for(_SCHEMAS[subject](), validate_formats=True)


def checked(subject: str, value: bytes) -> bytes:
    """The same, which is a result, an event or a manifest by its schema. Raises ``jsonschema_rs.ValidationError``."""
    _validator(subject).validate(msgspec.json.decode(value))
    return value


def checked_result(value: bytes) -> bytes:
    """A result that another process has written."""
    return checked("result", value)


def checked_event(value: bytes) -> bytes:
    """An event that another process has written."""
    return checked("event", value)


@contextmanager
def validated() -> Iterator[None]:
    """From here on everything that is written in this process is held against its schema."""

    def encoding(self: ResultEncoder, settlement: Any) -> Any:
        encoded = ENCODE(self, settlement)
        checked("result", encoded.value)
        return encoded

    with (
        patch.object(ResultEncoder, "encode", encoding),
        patch.object(trail, "encode_event", lambda event: checked("event", encode_event(event))),
        patch.object(export_folder, "written", lambda manifest: checked("manifest", written(manifest))),
    ):
        yield
