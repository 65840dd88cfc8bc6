"""The program of both live views: lines on top, one table below them, keys.

A picture is taken several times a second and put on the screen; paused, the last one stays, and what is looked at goes
on being read. Nothing here knows what is looked at.
"""

import time
from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Input, Static

from contribd.terminal.cells import Line, Piece, Tone, clock
from contribd.terminal.live_table import STYLES, LiveTable
from contribd.terminal.picture import Picture, View
from contribd.terminal.screens import KEYS, TextScreen

REFRESH_SECONDS: Final = 0.25
MOST_TABLES: Final = 9
"""As many as there are keys from 1."""

_KEYS_LINE: Final = "? help   / filter   < > sort   r reverse   space pause   enter details   q leave"


class LiveApp(App[None]):
    """Shows one view until it is left."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Static, LiveTable, Input { background: ansi_default; color: ansi_default; }
    #head, #tabs, #foot { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    #filter { height: 1; border: none; padding: 0; display: none; }
    #filter.open { display: block; }
    """
    BINDINGS: ClassVar = [
        Binding("space", "pause", "pause"),
        Binding("slash", "filter", "filter"),
        Binding("escape", "unfilter", "all rows"),
        Binding("tab", "next(1)", "next table", priority=True),
        Binding("shift+tab", "next(-1)", "table before", priority=True),
        Binding("question_mark", "help", "help"),
        Binding("q", "quit", "leave"),
        Binding("ctrl+c", "quit", "leave", priority=True),
        *(Binding(str(number), f"table({number})", show=False) for number in range(1, MOST_TABLES + 1)),
    ]

    def __init__(self, view: View) -> None:
        super().__init__(ansi_color=True)
        self._view = view
        self._picture: Picture | None = None
        self._paused_at: float | None = None
        self._table = LiveTable(view.tables)
        self._head, self._tabs, self._foot = Static(id="head"), Static(id="tabs"), Static(id="foot")
        self._filter = Input(placeholder="words that a row must have; !word: must not have", id="filter")

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        if len(self._view.tables) > 1:
            yield self._tabs
        yield self._table
        yield self._filter
        yield self._foot

    def on_mount(self) -> None:
        """Begins to look."""
        self.title = f"contribd {self._view.name}"
        self._table.focus()
        self._view.start()
        self.set_interval(REFRESH_SECONDS, self.look)
        self.look()

    def on_unmount(self) -> None:
        """Ends it."""
        self._view.stop()

    def look(self) -> None:
        """Takes a picture, and shows it unless the view is paused."""
        picture = self._view.picture()
        if self._paused_at is None and picture is not self._picture:
            self._picture = picture
            self._head.update(_text(*picture.head))
            self._table.set_rows(picture.rows)
        self._tell()

    # Keys

    def action_pause(self) -> None:
        """Stop the picture, or go on."""
        self._paused_at = time.time() if self._paused_at is None else None
        self.look()

    def action_filter(self) -> None:
        """Open the line where the words are typed."""
        self._filter.value = self._table.model.words
        self._filter.add_class("open")
        self._filter.focus()

    def action_unfilter(self) -> None:
        """All rows again."""
        self._close_filter("")

    def action_next(self, step: int) -> None:
        """The next table."""
        tables = self._view.tables
        self._show_table((tables.index(self._table.table) + step) % len(tables))

    def action_table(self, number: int) -> None:
        """The table of this number, from 1."""
        if number <= len(self._view.tables):
            self._show_table(number - 1)

    def action_help(self) -> None:
        """What is shown, and all keys."""
        self.push_screen(TextScreen(self.title, lambda: f"{self._view.help}\n\n{KEYS}"))

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """One row, told whole."""
        self.push_screen(TextScreen(message.table.title, lambda: self._view.details(message.table, message.row)))

    def on_live_table_arranged(self) -> None:
        """Order, filter or cursor have changed."""
        self._tell()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Filter while it is typed."""
        if self._filter.has_class("open"):
            self._arrange(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Keep the words, and go back to the rows."""
        self._close_filter(message.value)

    def _close_filter(self, words: str) -> None:
        self._filter.remove_class("open")
        self._table.focus()
        self._arrange(words)

    def _arrange(self, words: str) -> None:
        self._table.model.filter(words)
        self._table.redraw()

    def _show_table(self, place: int) -> None:
        self._close_filter(self._table.model.words)
        self._table.show_table(self._view.tables[place])
        self._tell()

    # What is said around the table

    def _tell(self) -> None:
        if len(self._view.tables) > 1:
            self._tabs.update(_text(self._tabs_line()))
        self._foot.update(_text(self._state_line(), (Piece(_KEYS_LINE, Tone.DIM),)))

    def _tabs_line(self) -> Line:
        return tuple(
            Piece(f"[{number} {table.title}] ", Tone.STRONG)
            if table is self._table.table
            else Piece(f" {number} {table.title}  ", Tone.DIM)
            for number, table in enumerate(self._view.tables, 1)
        )

    def _state_line(self) -> Line:
        model, paused = self._table.model, self._paused_at
        parts = [f"row {model.cursor + 1:,} of {len(model.rows):,}" if model.rows else "no rows"]
        if model.words:
            parts.append(f"filter: {model.words} ({model.hidden:,} hidden)")
        if model.sorted_by is not None:
            way = "falling" if model.descending else "rising"
            parts.append(f"by {model.columns[model.sorted_by].title}, {way}")
        told = Piece(f"PAUSED at {clock(paused)}   ", Tone.DOUBTFUL) if paused is not None else Piece("")
        return (told, Piece("   ".join(parts)))


def _text(*lines: Line) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for number, line in enumerate(lines):
        text.append("\n" if number else "")
        for piece in line:
            text.append(piece.text, STYLES[piece.tone])
    return text
