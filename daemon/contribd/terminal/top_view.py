"""``contribd top`` as a view: what the reader has heard of the daemon, put into its picture."""

import time

from contribd.terminal.cells import Row
from contribd.terminal.daemon_reader import DaemonReader
from contribd.terminal.details import listed
from contribd.terminal.picture import Picture, Table
from contribd.terminal.top_model import TopModel
from contribd.terminal.top_tables import TABLES

HELP = (
    "A running daemon, from its own /status and /metrics, asked again and again. The daemon does not wait for it.\n\n"
    "The lines on top: what the daemon does, why, and since when; the session with the ADS, and the services; results "
    "and posts a second over the last ten seconds, where each bar of the chart is the time between two answers; the "
    "share of the answered posts that were refused (NAK or Error), and the latencies, both of the last minute. Times "
    "are UTC.\n\n"
    "NO ANSWER: the daemon was asked and did not answer. What is shown is what it said last. It is asked on, and all "
    "comes back by itself. OLD: it answers, but its worker makes no progress."
)


class TopView:
    """Of one daemon."""

    name = "top"
    tables = TABLES
    help = HELP

    def __init__(self, reader: DaemonReader) -> None:
        self.subject = reader.url
        self._reader = reader
        self._model = TopModel(reader.url)

    def start(self) -> None:
        """Begins to ask."""
        self._reader.start()

    def stop(self) -> None:
        """Asks no more."""
        self._reader.stop()

    def picture(self) -> Picture:
        """With all that has come by now."""
        for answer in self._reader.take():
            self._model.take(answer)
        return self._model.picture(time.time())

    def details(self, table: Table, row: Row) -> str:
        """All columns, those that do not fit the terminal too."""
        return listed(table, row)
