"""The records that ``contribd map`` is given: lines, or places in Kafka."""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom
from typing import BinaryIO, NamedTuple

import typer

from contribd import build
from contribd.config.load import Loaded
from contribd.mapping.inputs import BadLine, Input, from_line
from contribd.ops import log
from contribd.streams.span import Span, parse_offsets

STDIN = Path("-")


class Unreadable(Exception):
    """There is no record, or it cannot be read; the text says why."""


class Labelled(NamedTuple):
    """A record and what it is called: the number of its line, or its place in Kafka."""

    label: str | int
    record: Input


def lines(file: Path | None, topic: str) -> Iterator[Labelled]:
    """Each line that is not blank, by its number from 1. Raises ``Unreadable``."""
    if file is None or file == STDIN:
        yield from of_stream(sys.stdin.buffer, "standard input", topic)
    else:
        with file.open("rb") as stream:
            yield from of_stream(stream, str(file), topic)


def of_stream(stream: BinaryIO, name: str, topic: str) -> Iterator[Labelled]:
    """Each line of a file that is open; ``stream.tell()`` says how far it is. Raises ``Unreadable``."""
    for number, line in enumerate(iter(stream.readline, b""), 1):  # iterating over the file would forbid tell()
        if record := line.strip():
            try:
                yield Labelled(number, from_line(record, number, topic))
            except BadLine as error:
                raise Unreadable(f"{name}:{number}: {error}") from None


def from_kafka(loaded: Loaded, place: str) -> Iterator[Labelled]:
    """The record at ``topic:partition:offset``, or those of a range. Raises ``Unreadable``."""
    # Heavy: the Kafka client takes longer to load than everything else here takes to run.
    from contribd.streams.traffic import TrafficError, open_traffic

    try:
        wanted = parse_offsets(place)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        found = False
        log.configure("error", "console", secrets=sorted(loaded.secrets))
        with open_traffic(build.kafka(loaded, SystemRandom()), Span(offsets=(wanted,))) as traffic:
            for record in traffic.records:
                found = True
                yield Labelled(record.place, record)
        if not found:
            reason = f": {traffic.unread[0].what}" if traffic.unread else "; see where the log begins and ends"
            raise Unreadable(f"there is no record at {place}{reason}")
    except TrafficError as error:
        raise Unreadable(str(error)) from None
