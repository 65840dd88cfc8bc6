"""The records that a plan compares: lines of a file, or a stretch of the prices topics."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from contribd.cli.common import diagnostics
from contribd.cli.map_records import Unreadable, of_stream
from contribd.config.load import Loaded
from contribd.mapping.inputs import Input
from contribd.ops import log
from contribd.plan.report import UnreadRange
from contribd.streams.span import Span


@dataclass(frozen=True)
class Traffic:
    """Records to compare. ``done`` and ``total``: how far it is, in a unit of its own."""

    source: str
    records: Iterator[Input]
    total: int
    done: Callable[[int], int]
    """From the number of records so far."""
    unread: Callable[[], tuple[UnreadRange, ...]] = tuple


@contextmanager
def lines_of(file: Path, topic: str) -> Iterator[Traffic]:
    """The records of a file, a line each; lines that are blank are none. Raises ``Unreadable``, also later.

    ``topic``: of those that name none.
    """
    with file.open("rb") as stream:
        records = (each.record for each in of_stream(stream, str(file), topic))
        yield Traffic(str(file), records, file.stat().st_size, lambda _records: stream.tell())


@contextmanager
def topics_of(candidate: Loaded, span: Span) -> Iterator[Traffic]:
    """A stretch of the prices topics of a configuration. Raises ``Unreadable``, also later."""
    # Heavy: the Kafka client takes longer to load than everything else here takes to run.
    from contribd import build
    from contribd.streams.traffic import TrafficError, open_traffic

    log.configure("error", "console", secrets=sorted(candidate.secrets))
    settings = build.kafka(candidate, SystemRandom())
    try:
        with open_traffic(settings, span) as found:
            topics = ", ".join(dict.fromkeys(each.partition.topic for each in found.stretches))
            count = len(found.stretches)
            source = f"{topics}, {count} partition{'s' if count != 1 else ''}"
            yield Traffic(
                source,
                found.records,
                found.offsets,
                lambda records: records,
                lambda: tuple(
                    UnreadRange(each.partition.topic, each.partition.number, each.first, each.last, each.what)
                    for each in found.unread
                ),
            )
    except TrafficError as error:
        raise Unreadable(str(error)) from error


@contextmanager
def followed(traffic: Traffic) -> Iterator[Callable[[int], None]]:
    """What is to be told how many records there were: a bar on a terminal shows it, elsewhere nothing does."""
    console = diagnostics()
    if not console.is_terminal:
        yield lambda _records: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("comparing", total=traffic.total)

        def tick(records: int) -> None:
            progress.update(task, completed=traffic.done(records), description=f"{records:,} records")

        yield tick
