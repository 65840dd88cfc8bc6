"""The trace context of a record (W3C Trace Context): carried into its result, for whoever follows a price through
several systems. It is never read here."""

from collections.abc import Sequence
from typing import Final

NAMES: Final = frozenset(("traceparent", "tracestate"))
"""As tracers write them to Kafka: in lower case."""


def trace_context(headers: Sequence[tuple[str, bytes | None]], room: int) -> list[tuple[str, bytes]]:
    """Those of a record's headers that are its trace context and have a value, as they are; none where they take more
    than ``room`` bytes."""
    found = [(name, held) for name, held in headers if name in NAMES and held is not None]
    return found if size_of(found) <= room else []


def size_of(headers: Sequence[tuple[str, bytes]]) -> int:
    """Bytes of their names and values."""
    return sum(len(name) + len(held) for name, held in headers)
