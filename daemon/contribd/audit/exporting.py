"""One run of an export: records of each partition into files by day, a root over them, and the rules they name.

Theory of operation
===================

One partition after the other, in the order of offsets. A record goes into the file of its day, so a file has records
of one day, in order; where days alternate (stamps are the producers' own), files of one partition lie side by side, and
whoever reads them merges them by offset. Only some days have a file open at a time: the one that was used last
stays, and one that is closed and needed again gets another file. So memory is bounded by the row groups of the open
files, whatever there is to export.

Files are written into a folder that no reader looks at (``export_folder``), and get their place once all is there.
"""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from contribd.audit.evidence import Unread
from contribd.audit.export_columns import DeskOf, RawRecord, row_of
from contribd.audit.manifest import DataFile, ExportedLog, Kind, NotExported
from contribd.audit.merkle import Tree, leaf_of
from contribd.audit.parquet_files import FileWriter, digest_of_file, schema_of

OPEN_DAYS: Final = 4
"""Files of one partition that are written at a time."""

FILE_RECORDS: Final = 1_000_000
"""Of one file, at most."""

NO_DAY: Final = "__HIVE_DEFAULT_PARTITION__"
"""In place of a day: what readers of such folders take for null."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LogRange(NamedTuple):
    """What is read of one partition: offsets from ``first`` on and below ``end``, of which ``why`` says what ends it.

    ``log_start``: the oldest offset that the log still has; ``gone``: offsets that an earlier run would have gone on
    with, and that retention has taken.
    """

    kind: Kind
    topic: str
    topic_id: str | None
    partition: int
    first: int
    end: int
    log_start: int
    why: str
    gone: Unread | None = None


class Logs(Protocol):
    """Where an export reads from."""

    def read(self, log: LogRange) -> Iterator[list[RawRecord]]:
        """The records of a range, in order, some at a time."""

    def unread(self, log: LogRange) -> list[Unread]:
        """What of it could not be read, once it was."""


def day_of(timestamp: int) -> str | None:
    """The day of a Kafka timestamp, UTC; None where there is none, or none that a calendar has."""
    if timestamp < 0:
        return None
    try:
        return (_EPOCH + timedelta(milliseconds=timestamp)).date().isoformat()
    except OverflowError:
        return None


def folder_of(kind: Kind, topic: str, day: str | None, partition: int) -> str:
    """Where files are, below the folder of the export."""
    named = f"{kind}/topic={topic}" if kind is Kind.PRICES else kind.value
    return f"{named}/day={day or NO_DAY}/partition={partition}"


def export_log(
    logs: Logs,
    log: LogRange,
    folder: Path,
    desk_of: DeskOf,
    configs: set[str],
    tick: Callable[[int], None] = lambda _offsets: None,
) -> tuple[ExportedLog, list[DataFile]]:
    """Writes one range below ``folder``; ``configs`` gets the digests of rules that its results name."""
    tree, files, at = Tree(), _DayFiles(folder, log), log.first
    if log.first < log.end:
        for batch in logs.read(log):
            for record in batch:
                tree.append(leaf_of(record))
                row, config = row_of(log.kind, record, desk_of)
                if config is not None:
                    configs.add(config)
                files.add(record, row)
            tick(batch[-1].offset + 1 - at)
            at = batch[-1].offset + 1
    tick(log.end - at)
    left_out = [*([] if log.gone is None else [log.gone]), *logs.unread(log)]
    exported = ExportedLog(
        kind=log.kind,
        topic=log.topic,
        topic_id=log.topic_id,
        partition=log.partition,
        first=log.first,
        end=log.end,
        log_start=log.log_start,
        why=log.why,
        records=tree.size,
        root=b64encode(tree.root()).decode(),
        not_exported=tuple(NotExported(*each) for each in left_out),
    )
    return exported, files.close()


class _DayFiles:
    """The files of one range."""

    def __init__(self, folder: Path, log: LogRange) -> None:
        self._folder, self._log = folder, log
        self._open: OrderedDict[str | None, _OpenFile] = OrderedDict()
        self._done: list[DataFile] = []

    def add(self, record: RawRecord, row: tuple[Any, ...]) -> None:
        day = day_of(record.timestamp)
        file = self._open.get(day)
        if file is None:
            file = self._open[day] = _OpenFile(self._folder, self._log, day, record.offset)
            if len(self._open) > OPEN_DAYS:
                self._close(next(iter(self._open)))
        self._open.move_to_end(day)
        file.add(record, row)
        if file.records >= FILE_RECORDS:
            self._close(day)

    def close(self) -> list[DataFile]:
        """All of them, in the order of their offsets."""
        for day in list(self._open):
            self._close(day)
        return sorted(self._done, key=lambda each: each.first)

    def _close(self, day: str | None) -> None:
        self._done.append(self._open.pop(day).close())


class _OpenFile:
    """One file that is written."""

    def __init__(self, folder: Path, log: LogRange, day: str | None, first: int) -> None:
        self._root, self._log, self._day = folder, log, day
        self._place = folder_of(log.kind, log.topic, day, log.partition)
        said = {"topic": log.topic, "partition": str(log.partition), "day": day or ""}
        path = folder / self._place / f"{first:020}.part"
        self._writer = FileWriter(path, schema_of(log.kind, said))
        self._first = self._last = first

    @property
    def records(self) -> int:
        return self._writer.records

    def add(self, record: RawRecord, row: tuple[Any, ...]) -> None:
        self._last = record.offset
        self._writer.add(row, len(record.key or b"") + len(record.value or b""))

    def close(self) -> DataFile:
        self._writer.close()
        name = f"{self._place}/{self._first:020}-{self._last:020}.parquet"
        path = self._writer.path.rename(self._root / name)
        return DataFile(
            path=name,
            kind=self._log.kind,
            topic=self._log.topic,
            partition=self._log.partition,
            day=self._day,
            first=self._first,
            last=self._last,
            records=self._writer.records,
            bytes=path.stat().st_size,
            sha256=digest_of_file(path),
        )


def positions(logs: Iterable[ExportedLog]) -> Mapping[tuple[str, int], ExportedLog]:
    """How far earlier runs came, by topic and partition: the last one of each, oldest first given."""
    return {(each.topic, each.partition): each for each in logs}


def follows(
    kind: Kind,
    place: tuple[str, int],
    topic_id: str | None,
    first: int,
    log_start: int,
    before: Mapping[tuple[str, int], ExportedLog],
) -> tuple[int, Unread | None]:
    """Where a range begins, and what between the run before and that is gone. ``first``: where nothing was exported.

    Raises ``MadeAnew``.
    """
    last = before.get(place)
    if last is None:
        return first, None
    if last.topic_id is not None and topic_id is not None and last.topic_id != topic_id:
        raise MadeAnew(f"topic {place[0]} ({kind}) was made anew since the last export: name another folder")
    if log_start > last.end:
        return log_start, Unread(last.end, log_start - 1, "deleted by retention before it was exported")
    return last.end, None


class MadeAnew(ValueError):
    """A topic is another one than that which was exported; the text says so."""
