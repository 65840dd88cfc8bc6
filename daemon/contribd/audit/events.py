"""Events of the audit: what happened to a daemon beside results. The types, and the JSON Schema."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


class EventKind(StrEnum):
    """What happened."""

    START = "start"
    STOP = "stop"
    ORDER = "order"
    RELOAD = "reload"
    CLOCK = "clock"


class Event(Struct, frozen=True, omit_defaults=False):
    """One event of one process."""

    event: Annotated[EventKind, Meta(description="start, stop, order, reload, or clock: its state has changed")]
    id: Annotated[str, Meta(description="Of this event alone: one that is there twice was written twice")]
    at: Annotated[datetime, Meta(tz=True, description="When, UTC, to the microsecond")]
    instance: Annotated[str, Meta(description="Names the process, as in results")]
    host: str
    version: Annotated[str, Meta(description="contribd's version")]
    config: Annotated[str, Meta(description="SHA-256 of the rules in force then, as in results")]
    by: Annotated[str | None, Meta(description="Who ordered it, as the kernel knows them; null: nobody did")] = None
    order: Annotated[str | None, Meta(description="Of an order: what was ordered, in words")] = None
    reason: Annotated[str | None, Meta(description="Of an order: why, in the words of whoever gave it")] = None
    done: Annotated[
        bool | None,
        Meta(description="Of an order or a reload: whether it holds; false: refused; null: not known in time"),
    ] = None
    answer: Annotated[str | None, Meta(description="Of an order or a reload: what was answered")] = None
    clock: Annotated[
        dict[str, Any] | None,
        Meta(description="Of the host's clock: whether it is synchronised, and how far it is off"),
    ] = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode_event(event: Event) -> bytes:
    """As it is written."""
    return _encoder.encode(event)


def decode_event(value: bytes) -> Event:
    """What is written there. Raises ``msgspec.MsgspecError``."""
    return _decoder.decode(value)


def event_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event."""
    (reference,), definitions = msgspec.json.schema_components([Event], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "contribd event",
        **reference,
        "$defs": definitions,
    }
