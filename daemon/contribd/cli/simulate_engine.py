"""Records that ``contribd simulate engine`` brings into a topic, and what it says of them."""

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import typer

from contribd.cli import EXIT_FAILED, EXIT_INTERRUPTED

if TYPE_CHECKING:
    from contribd.simulation.demo.price_feed import Fed, Records

REPORT_SECONDS: Final = 5.0
"""Between two lines of progress."""


class Ended:
    """Whether SIGINT or SIGTERM has come since it was made."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.interrupted = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        # Not an exception: it could come up inside the Kafka client, which would keep it.
        self.interrupted |= number == signal.SIGINT
        self.event.set()


def settings_of(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        msg = f"{file}: {error}"
        raise typer.BadParameter(msg, param_hint="--client") from None
    if not isinstance(found, dict):
        msg = f"{file}: expected a JSON object of kafka-python settings"
        raise typer.BadParameter(msg, param_hint="--client")
    return found


def produce(
    records: "Records", bootstrap_servers: str, topic: str, *, rate: float, count: int, client: dict[str, Any]
) -> "tuple[Fed, bool]":
    """What was produced, and whether SIGINT ended it. ``count`` 0: until it is ended."""
    from kafka.errors import KafkaError

    from contribd.simulation.demo.price_feed import Feed
    from contribd.streams.client.errors import NoBroker

    try:
        feed = Feed(records, bootstrap_servers=bootstrap_servers, topic=topic, client=client)
    except (KafkaError, NoBroker) as error:
        typer.echo(f"cannot reach Kafka at {bootstrap_servers}: {error}", err=True)
        raise typer.Exit(EXIT_FAILED) from None
    ended = Ended()
    try:
        feed.run(rate=rate, count=count or None, stop=ended.event, progress=_reporter())
    finally:
        feed.close()
    return feed.fed, ended.interrupted


def tell(fed: "Fed", topic: str, *, interrupted: bool, kinds: bool) -> None:
    of_kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(fed.kinds.items()))
    typer.echo(f"{len(fed.offsets)} of {fed.sent} records are in {topic}{f' ({of_kinds})' if kinds else ''}")
    if fed.failures:
        typer.echo(f"{len(fed.failures)} failed; the first: {fed.failures[0]}", err=True)
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if fed.failures:
        raise typer.Exit(EXIT_FAILED)


def _reporter() -> "Callable[[Fed], None]":
    last = time.monotonic()

    def report(fed: "Fed") -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_SECONDS:
            last = time.monotonic()
            typer.echo(f"{fed.sent} records sent, {len(fed.offsets)} confirmed", err=True)

    return report
