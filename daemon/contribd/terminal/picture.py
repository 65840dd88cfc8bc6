"""What a view shows at one moment, and what the terminal asks of a view. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from contribd.terminal.cells import Column, Line, Row


@dataclass(frozen=True, slots=True)
class Table:
    """One of the tables of a view: its name, its title on the line of tables, and its columns."""

    name: str
    title: str
    columns: tuple[Column, ...]
    empty: str
    """What is said in the place of rows where there are none."""


class Picture(NamedTuple):
    """All there is to see at one moment. It is never changed: a paused view goes on showing the one it has."""

    head: tuple[Line, ...]
    rows: Mapping[str, Sequence[Row]]
    """Of each table, by its name."""


class View(Protocol):
    """What is looked at. The terminal asks for a picture several times a second, all in one thread."""

    @property
    def name(self) -> str:
        """Of the command."""

    @property
    def subject(self) -> str:
        """What is looked at: an address."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """At least one."""

    @property
    def help(self) -> str:
        """What is shown, for the page of help."""

    def start(self) -> None:
        """Begins to look, in threads of its own."""

    def stop(self) -> None:
        """Ends that."""

    def picture(self) -> Picture:
        """What there is to see now."""

    def details(self, table: Table, row: Row) -> str:
        """All that is known of a row, for a page of its own. May wait for others: it is called in another thread."""
