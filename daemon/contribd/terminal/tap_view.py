"""``contribd tap`` as a view: what the reader has read, put into its picture."""

import time
from collections.abc import Callable

import msgspec

from contribd.mapping.inputs import Input, as_line
from contribd.ops.lines import printable
from contribd.results.inputs import InputError
from contribd.results.result import Source
from contribd.terminal.cells import Row
from contribd.terminal.details import listed
from contribd.terminal.picture import Picture, Table
from contribd.terminal.tap_model import RESULTS, TapModel
from contribd.terminal.tap_reader import TapReader

HELP = (
    "Results as they are written, the newest first, read from the end of the results topic as committed: what became "
    "of each record. The daemon does not hear of it.\n\n"
    "At most so many lines a second are shown (--rate). Where more come, those that went wrong are shown before those "
    "that went right. How many were left out is said on top, and the rates of all statuses there are of all results."
    "\n\n"
    "Enter shows a result as it is stored, and with --input the record that it is of. Times are UTC."
)

ReadInput = Callable[[Source], Input]
"""The record that a result is of. Raises ``InputError``."""


class TapView:
    """Of one results topic. ``read_input``: None where nobody asked for records."""

    name = "tap"
    tables = (RESULTS,)
    help = HELP

    def __init__(self, subject: str, reader: TapReader, rate: int, read_input: ReadInput | None = None) -> None:
        self.subject = subject
        self._reader = reader
        self._read_input = read_input
        self._model = TapModel(subject, rate, time.time())

    def start(self) -> None:
        """Begins to read."""
        self._reader.start()

    def stop(self) -> None:
        """Reads no more."""
        self._reader.stop()

    def picture(self) -> Picture:
        """With all that has come by now."""
        now = time.time()
        self._model.take(self._reader.take(now), now)
        return self._model.picture(now)

    def details(self, table: Table, row: Row) -> str:
        """The result as it is stored, and the record."""
        stored = self._model.find(row.key)
        if stored is None:
            return listed(table, row)
        parts = [f"stored at {row.key}", _indented(stored.value)]
        if self._read_input is not None and (source := stored.result.source) is not None:
            parts += [f"the record, {source}", _input_text(self._read_input, source)]
        return "\n\n".join(parts)


def _input_text(read: ReadInput, source: Source) -> str:
    try:
        return _indented(as_line(read(source)))
    except InputError as error:
        return f"cannot be read: {error}"


def _indented(document: bytes) -> str:
    lines = msgspec.json.format(document, indent=2).decode(errors="replace").split("\n")
    return "\n".join(printable(line) for line in lines)
