"""The table of both live views: draws the rows of a table model that are on the screen, and no others.

Not textual's own table: that one keeps a copy of all rows, and putting in a thousand new ones each second would cost
more than all else.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from contribd.terminal.cells import Column, Row, Tone, cut, fitting
from contribd.terminal.picture import Table
from contribd.terminal.table_model import TableModel

STYLES: Final = {
    Tone.PLAIN: Style(),
    Tone.STRONG: Style(bold=True),
    Tone.DIM: Style(dim=True),
    Tone.GOOD: Style(color="green"),
    Tone.DOUBTFUL: Style(color="yellow"),
    Tone.BAD: Style(color="red", bold=True),
}
_TITLE: Final = Style(bold=True, underline=True)
_CURSOR: Final = Style(reverse=True)
HEADER: Final = 1
"""Lines that do not scroll."""


class LiveTable(ScrollView, can_focus=True):
    """Shows one table at a time; each keeps its own order, filter and cursor."""

    DEFAULT_CSS = "LiveTable { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar = [
        ("up,k", "move(-1)", "up"),
        ("down,j", "move(1)", "down"),
        ("pageup", "page(-1)", "page up"),
        ("pagedown", "page(1)", "page down"),
        ("home,g", "move(-1000000)", "first"),
        ("end,G", "move(1000000)", "last"),
        ("enter", "open", "details"),
        ("less_than_sign,left", "sort(-1)", "sort by the column before"),
        ("greater_than_sign,right", "sort(1)", "sort by the next column"),
        ("r", "reverse", "the other way round"),
    ]

    class Opened(Message):
        """A row is to be told whole."""

        def __init__(self, table: Table, row: Row) -> None:
            self.table, self.row = table, row
            super().__init__()

    class Arranged(Message):
        """Order, filter or cursor have changed."""

    def __init__(self, tables: tuple[Table, ...]) -> None:
        super().__init__()
        self._models = {table.name: TableModel(table.columns) for table in tables}
        self.table = tables[0]

    @property
    def model(self) -> TableModel:
        """Of the table that is shown."""
        return self._models[self.table.name]

    def show_table(self, table: Table) -> None:
        """This one from now on."""
        self.table = table
        self.redraw()

    def set_rows(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Of each table, by its name."""
        for name, each in rows.items():
            self._models[name].set_rows(each)
        self._fit()

    def redraw(self) -> None:
        """After any change of the model by a key or the mouse."""
        self._fit()
        self.post_message(self.Arranged())

    def _fit(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, HEADER + len(self.model.rows))
        self._keep_in_sight()
        self.refresh()

    def on_resize(self) -> None:
        """The columns that fit are others."""
        self._fit()

    def on_click(self, event: Click) -> None:
        """On a title: sort by it. On a row: select it; twice: open it."""
        if event.y < HEADER:
            place = self._column_at(event.x)
            if place is not None:
                self.model.sort_by(place)
        else:
            self.model.move_to(event.y - HEADER + round(self.scroll_y))
            if event.chain > 1:
                self.action_open()
        self.redraw()

    def action_move(self, by: int) -> None:
        """The cursor."""
        self.model.move(by)
        self.redraw()

    def action_page(self, by: int) -> None:
        """The cursor, by what fits the screen."""
        self.action_move(by * max(1, self.size.height - HEADER - 1))

    def action_sort(self, step: int) -> None:
        """By the next column, or the one before."""
        self.model.sort_next(step)
        self.redraw()

    def action_reverse(self) -> None:
        """The other way round."""
        self.model.reverse()
        self.redraw()

    def action_open(self) -> None:
        """The selected row is to be told whole."""
        if self.model.selected is not None:
            self.post_message(self.Opened(self.table, self.model.selected))

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the titles, or a row."""
        width = self.scrollable_content_region.width
        if y < HEADER:
            return Strip([Segment(cut(self._titles(width), width), _TITLE)], width)
        index = y - HEADER + round(self.scroll_y)
        rows = self.model.rows
        if index < len(rows):
            return Strip(self._cells(rows[index], width, selected=index == self.model.cursor), width)
        text = self._nothing() if index == 0 else ""
        return Strip([Segment(cut(text, width), STYLES[Tone.DIM])], width)

    def _nothing(self) -> str:
        return f"no row has all of: {self.model.words}" if self.model.hidden else self.table.empty

    def _titles(self, width: int) -> str:
        return " ".join(
            cut(self._title(place), size, right=self.table.columns[place].right)
            for place, size in fitting(self.table.columns, width)
        )

    def _title(self, place: int) -> str:
        column = self.table.columns[place]
        if place != self.model.sorted_by:
            return column.title
        return ("▼" if self.model.descending else "▲") + column.title

    def _cells(self, row: Row, width: int, *, selected: bool) -> list[Segment]:
        over = _CURSOR if selected else Style()
        found = list[Segment]()
        for place, size in fitting(self.table.columns, width):
            column = self.table.columns[place]
            text = cut(column.show(row.values[place]), size, right=column.right)
            found += [Segment(text, _style(column, row) + over), Segment(" ", over)]
        used = sum(len(each.text) for each in found)
        return [*found, Segment(" " * max(0, width - used), over)] if used <= width else found[:-1]

    def _column_at(self, x: int) -> int | None:
        left = 0
        for place, size in fitting(self.table.columns, self.scrollable_content_region.width):
            if left <= x <= left + size:
                return place
            left += size + 1
        return None

    def _keep_in_sight(self) -> None:
        height = max(1, self.size.height - HEADER)
        first, cursor = round(self.scroll_y), self.model.cursor
        if cursor < first:
            self.scroll_to(y=cursor, animate=False)
        elif cursor >= first + height:
            self.scroll_to(y=cursor - height + 1, animate=False)


def _style(column: Column, row: Row) -> Style:
    return STYLES[row.tone] if column.toned or row.tone is Tone.DIM else STYLES[Tone.PLAIN]
