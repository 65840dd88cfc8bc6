"""Records of a file, for a prices topic, in place of those of the pricing engine."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from contribd.simulation.demo.pricing_engine import PriceRecord

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class RecordFileError(ValueError):
    """The file cannot be taken as it is; the text says where, and what was expected."""


class RecordFile:
    """The records of a file, a JSON object on each line, once and in their order; blank lines are none.

    ``key`` names the field whose text, or number as it is written, is the record's key in Kafka; None: no key.
    Raises RecordFileError.
    """

    def __init__(self, file: Path, key: str | None = None) -> None:
        self.records = [*_records(file, key)]
        if not self.records:
            raise RecordFileError(f"{file} holds no records; expected a JSON object on each line")
        self._left = iter(self.records)

    def next(self, _now: datetime) -> PriceRecord:
        """The next one."""
        return next(self._left)


def _records(file: Path, key: str | None) -> Iterator[PriceRecord]:
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if value := line.strip():
            yield PriceRecord(_key(value, key, f"{file}:{number}"), value, "price")


def _key(value: bytes, key: str | None, place: str) -> bytes | None:
    try:
        record = _OBJECT.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordFileError(f"{place}: expected a JSON object: {error}") from None
    if wrapped := next((name for name in record if name.startswith("@")), None):
        raise RecordFileError(
            f"{place}: {wrapped}: a record goes as it is; --key FIELD names the field that is its key"
        )
    if key is None:
        return None
    held = record.get(key)
    if held is None:
        raise RecordFileError(f"{place}: the record has no {key}, which is to be its key")
    return _text(bytes(held), f"{place}: {key}")


def _text(held: bytes, place: str) -> bytes:
    decoded = msgspec.json.decode(held)
    if isinstance(decoded, str):
        return decoded.encode()
    if isinstance(decoded, int | float) and not isinstance(decoded, bool):
        return held
    raise RecordFileError(f"{place}: expected text or a number, as the record's key")
