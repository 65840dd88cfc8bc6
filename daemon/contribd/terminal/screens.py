"""What is shown over the table: help, and one row told whole."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS = """\
up, down, page up, page down,
home, end, mouse wheel         go through the rows
enter, double click            the selected row, told whole
< >, left, right               sort by the column before, the next one
r                              sort the other way round
click on a title               sort by it; again: the other way round
/                              filter: all these words; !word: without it
escape                         all rows again
space                          pause: the picture stays; again: go on
tab, 1 to 9                    the next table; this table
?                              this page
q, ctrl+c                      leave"""


class TextScreen(ModalScreen[None]):
    """Text that scrolls. Any key that does not scroll closes it."""

    DEFAULT_CSS = """
    TextScreen { align: center middle; }
    TextScreen > VerticalScroll { width: 96%; height: 90%; border: round $primary; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar = [("escape,q,enter,question_mark", "dismiss", "close")]

    def __init__(self, title: str, read: Callable[[], str]) -> None:
        """``read`` may take its time: it is called in a thread of its own."""
        super().__init__()
        self._title = title
        self._read = read

    def compose(self) -> ComposeResult:
        """One text."""
        with VerticalScroll() as area:
            area.border_title = f"{self._title}: escape closes"
            yield Static(Text("one moment …"), id="text")

    def on_mount(self) -> None:
        """Begins to read."""
        self.run_worker(self._show, thread=True)

    def _show(self) -> None:
        text = Text(self._read())
        self.app.call_from_thread(self.query_one("#text", Static).update, text)
