"""Results for the tests, written by the engine's own encoder, or by hand where the test is about the form."""

import json
from typing import Any

POST = {
    "post_id": 17,
    "type": "Update",
    "endpoint": "ws://ads1:15000/WebSocket",
    "session": "s1",
    "sent_at": "2026-11-22T10:15:30.200000Z",
    "answered_at": "2026-11-22T10:15:30.225000Z",
    "answer": "ACK",
    "code": None,
    "text": None,
}
SOURCE = {
    "topic": "prices",
    "partition": 3,
    "offset": 1812,
    "timestamp": "2026-11-22T10:15:30.123000Z",
    "key": "EURUSD",
}
RESULT = {
    "status": "ACK",
    "ric": "EUR=TRCC",
    "service": "TRCC",
    "mapping": "fx-spot",
    "fields": {"BID": 1.08412, "ASK": 1.08415},
    "code": None,
    "text": None,
    "source": SOURCE,
    "carried_by": None,
    "posts": [POST],
    "consumed_at": "2026-11-22T10:15:30.150000Z",
    "settled_at": "2026-11-22T10:15:30.226000Z",
    "instance": "pricing-host-1",
    "version": "0.1.0",
    "config": "c0ffee",
}


def result_value(**changes: Any) -> bytes:
    """A result as JSON, with some of its keys changed."""
    return json.dumps({**RESULT, **changes}).encode()


def result_of(offset: int, **changes: Any) -> bytes:
    """The result of another record."""
    return result_value(source={**SOURCE, "offset": offset}, **changes)


def result_headers(value: bytes) -> list[tuple[str, bytes]]:
    """The headers that go with it."""
    result = json.loads(value)
    source = result["source"]
    return [
        ("status", result["status"].encode()),
        ("ric", (result["ric"] or "").encode()),
        ("service", (result["service"] or "").encode()),
        ("source", f"{source['topic']}:{source['partition']}:{source['offset']}".encode()),
    ]
