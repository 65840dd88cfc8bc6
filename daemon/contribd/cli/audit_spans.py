"""Which records ``contribd audit`` is about, as its commands are told it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING

import typer

from contribd.config.load import Loaded
from contribd.results.filters import FilterError, parse_span
from contribd.streams.span import Span, parse_offsets

if TYPE_CHECKING:
    from contribd.streams.client.settings import KafkaSettings


def span_of(since: str | None, until: str | None, offsets: list[str] | None, topics: list[str] | None) -> Span:
    """Of the prices topics. Raises ``typer.BadParameter`` (exit code 2)."""
    if offsets and (since or until or topics):
        raise typer.BadParameter("leave out --since, --until and --topic with --offset")
    if topics and since:
        raise typer.BadParameter("leave out --since with --topic: it is read from its beginning")
    try:
        given = tuple(map(parse_offsets, offsets or ()))
        return Span(*parse_span(since, until, datetime.now(UTC)), given)
    except (FilterError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def settings_for(loaded: Loaded, topics: Sequence[str] | None) -> "KafkaSettings":
    """How Kafka is reached; of all prices topics those named, where any are. Raises ``typer.BadParameter``."""
    # Heavy: the Kafka client takes longer to load than everything else here.
    from dataclasses import replace

    from contribd import build

    settings = build.kafka(loaded, SystemRandom())
    if unknown := [topic for topic in topics or () if topic not in settings.prices]:
        raise typer.BadParameter(f"{unknown[0]} is no topic of kafka.prices: {', '.join(settings.prices)}")
    return replace(settings, prices=tuple(topics)) if topics else settings
