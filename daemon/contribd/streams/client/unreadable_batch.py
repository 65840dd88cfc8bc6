"""A batch that cannot be read: which offsets it holds, as far as its header can be believed, and what is wrong."""

from collections.abc import Mapping
from typing import Any, Final

from kafka.errors import CorruptRecordError, UnsupportedCodecError

from contribd.config.kafka_client import package_of
from contribd.streams.client.port import FetchFault

ASK_A_REPLICA: Final = "let the brokers restore the partition from another replica"
NO_WHOLE_BATCH: Final = "what the broker sends is no whole batch"
_ASK_THE_WRITER: Final = "find out what wrote it"
_CODECS: Final[Mapping[int, str]] = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_CURRENT_FORMAT: Final = 2
"""The format of a batch since Kafka 0.11; the ones before say less of themselves."""


class Batches:
    """The batches of one answer, as kafka-python's ``MemoryRecords`` gives them; remembers the last one given."""

    def __init__(self, records: Any) -> None:
        """``records``: a ``MemoryRecords``."""
        self._records = records
        self.last: Any = None
        """None before the first, and where the next one could not even be cut out of the bytes."""

    def next_batch(self) -> Any:
        """The next one, None at the end."""
        self.last = None
        self.last = self._records.next_batch()
        return self.last

    def next_base_offset(self) -> int | None:
        """Where the batch after the last one begins, None where there is none to be seen."""
        try:
            following = self._records.next_batch()
            return None if following is None else int(following.base_offset)
        except Exception:  # noqa: BLE001 - bytes that are wrong may be wrong in any way
            return None


def fault_of(batches: Batches, error: Exception, offset: int, end: int | None) -> FetchFault:
    """What the last of ``batches`` comes to, at which ``error`` was met. ``offset`` is the first that was not read,
    ``end`` the next offset of the log where it is known."""
    batch = batches.last
    if batch is None:
        return FetchFault(offset, offset, NO_WHOLE_BATCH, ASK_A_REPLICA, skippable=True)
    first, last = _span(batch, batches.next_base_offset(), offset, end)
    what, cure = _diagnosis(batch, error)
    return FetchFault(first, last, what, cure, skippable=True)


def _span(batch: Any, following: int | None, offset: int, end: int | None) -> tuple[int, int]:
    """The first and the last offset that it holds and that were not read."""
    if batch.magic != _CURRENT_FORMAT:
        return offset, offset
    limit = float("inf") if end is None else end
    if following is not None and offset < following < limit:
        limit = following
    base, delta, count = batch.base_offset, batch.last_offset_delta, batch.records_count
    if 0 < count <= delta + 1 and offset <= base + delta < limit:
        return max(offset, base), base + delta
    return offset, following - 1 if following is not None and limit == following else offset


def _diagnosis(batch: Any, error: Exception) -> tuple[str, str]:
    """What is wrong with it, and what to do."""
    number = batch.compression_type
    codec = _CODECS.get(number)
    if isinstance(error, CorruptRecordError) and "crc" in str(error):
        return "its checksum is wrong", ASK_A_REPLICA
    if codec is None:
        return f"its codec, number {number}, is none that Kafka has", _ASK_THE_WRITER
    if isinstance(error, UnsupportedCodecError | NotImplementedError):
        package = package_of(codec)
        return (
            f"it is compressed with {codec}, and the Python package {package} is not installed",
            f"install {package} beside contribd and start it again",
        )
    if number and not isinstance(error, CorruptRecordError):
        return f"what is compressed in it with {codec} cannot be decompressed", _ASK_THE_WRITER
    return "its records cannot be parsed", _ASK_THE_WRITER
