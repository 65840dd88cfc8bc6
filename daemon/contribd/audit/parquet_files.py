"""Parquet files of an export, written and read some rows at a time. Needs the extra ``export``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from contribd.audit.export_columns import COLUMNS, RAW, RawRecord, Row
from contribd.audit.manifest import Kind

ROWS: Final = 10_000
"""Of a row group, at most: that many records are in memory at once."""

GROUP_BYTES: Final = 16 * 1024 * 1024
"""Of keys and values in a row group, at most."""

AT_ONCE: Final = 1_000
"""Rows that a reader gets at a time."""


class ExportError(Exception):
    """An export cannot be made or read; the text says why, and what to do."""


class DamagedFile(Exception):
    """A file that is none of an export's; the text says in what way."""


def arrow() -> tuple[Any, Any]:
    """pyarrow and its parquet, loaded where they are used: the extra may not be there. Raises ``ExportError``."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ExportError("this needs the extra export: pip install 'contribd[export]'") from None
    return pa, parquet


def schema_of(kind: Kind, said: Mapping[str, str] | None = None) -> Any:
    """Of the files of a kind; ``said``: what a file says of itself."""
    pa, _ = arrow()
    types = {
        "int64": pa.int64(),
        "string": pa.string(),
        "binary": pa.binary(),
        "bool": pa.bool_(),
        "milliseconds": pa.timestamp("ms", "UTC"),
        "microseconds": pa.timestamp("us", "UTC"),
        "headers": pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())])),
    }
    return pa.schema([(name, types[each]) for name, each in COLUMNS[kind].items()], metadata=dict(said or {}))


def batch_of(rows: Sequence[Row], schema: Any) -> Any:
    """A record batch of rows."""
    pa, _ = arrow()
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class FileWriter:
    """One file, whose rows come in order."""

    def __init__(self, path: Path, schema: Any) -> None:
        _, parquet = arrow()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._schema = path, schema
        self._writer = parquet.ParquetWriter(path, schema, compression="zstd")
        self._rows: list[Row] = []
        self._bytes = 0
        self.records = 0

    def add(self, row: Row, size: int) -> None:
        """One more row; ``size``: bytes of its key and value."""
        self._rows.append(row)
        self._bytes += size
        self.records += 1
        if len(self._rows) >= ROWS or self._bytes >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """It is whole."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(batch_of(self._rows, self._schema))
            self._rows, self._bytes = [], 0


def digest_of_file(path: Path) -> str:
    """SHA-256, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def read_batches(path: Path, kind: Kind, *, whole: bool = False) -> Iterator[tuple[list[RawRecord], Any]]:
    """The records of a file, some at a time, and the batch that they were read from.

    ``whole``: with all columns, else with those alone that have the record. Raises ``DamagedFile``.
    """
    pa, parquet = arrow()
    expected = schema_of(kind)
    try:
        with parquet.ParquetFile(path) as file:
            there = file.schema_arrow
            wanted = expected.names if whole else list(RAW)
            for name in wanted:
                if name not in there.names or there.field(name).type != expected.field(name).type:
                    raise DamagedFile(f"it has no column {name} of type {expected.field(name).type}")
            for batch in file.iter_batches(AT_ONCE, columns=wanted):
                yield list(_records(pa, batch)), batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedFile(f"it cannot be read: {error}") from None


def _records(pa: Any, batch: Any) -> Iterable[RawRecord]:
    names = batch.column("headers").values.field("name")
    if batch.column("offset").null_count or names.null_count:
        raise DamagedFile("it has a record without an offset, or a header without a name")
    stamps = batch.column("timestamp").cast(pa.int64()).to_pylist()
    plain = (batch.column(name).to_pylist() for name in ("timestamp_type", "key", "value"))
    columns = zip(batch.column("offset").to_pylist(), stamps, *plain, _headers(batch), strict=True)
    for offset, stamp, stamped_by, key, value, headers in columns:
        yield RawRecord(offset, -1 if stamp is None else stamp, stamped_by, key, value, headers)


def _headers(batch: Any) -> Iterator[tuple[tuple[str, bytes | None], ...]]:
    """Of each row; the columns of names and of values are each taken as a whole, which is several times as fast."""
    column = batch.column("headers")
    names, values = (column.values.field(name).to_pylist() for name in ("name", "value"))
    ends = column.offsets.to_pylist()
    for first, end in pairwise(ends):
        yield tuple(zip(names[first:end], values[first:end], strict=True))
