"""What a daemon says of itself, made by its own code from a made-up snapshot."""

from dataclasses import replace
from typing import Any

from tests.ops.samples import snapshot

from contribd.ops.snapshot import CountersView, HistogramView, PartitionView, Snapshot
from contribd.ops.status import status_document
from contribd.terminal.totals import Answer, Process

STARTED = 1_700_000_000.0


def status(**changes: Any) -> dict[str, Any]:
    """Of the sample daemon, with parts of its snapshot changed."""
    sample: Snapshot = replace(snapshot(), **changes)
    return status_document(sample, [])


def at(seconds: float, acks: int, naks: int = 0, **changes: Any) -> dict[str, Any]:
    """So many seconds after its start, with so many posts answered, each within 10 ms."""
    counters = CountersView(
        results=(("ACK", "", acks), ("NAK", "SymbolUnknown", naks)),
        posts=(("Update", "ACK", acks), ("Update", "NAK", naks)),
    )
    given = {
        "taken_at": STARTED + seconds,
        "started_at": STARTED,
        "counters": counters,
        "ack_seconds": HistogramView((0.01, 0.1, 1.0), (acks + naks, 0, 0, 0), 0.0),
        "partitions": (PartitionView("prices", 0, acks + naks, acks, 40, 12, False),),
        **changes,
    }
    return status(**given)


def answer(document: dict[str, Any], at: float, **process: float) -> Answer:
    """One that came at this time of the host that asked."""
    return Answer(at, document, Process(**process) if process else None)
