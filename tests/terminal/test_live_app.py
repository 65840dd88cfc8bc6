"""The keys of the live views, pressed by textual's pilot, without a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from contribd.terminal.cells import Column, Piece, Row, Tone
from contribd.terminal.details import listed
from contribd.terminal.live_app import LiveApp
from contribd.terminal.live_table import LiveTable
from contribd.terminal.picture import Picture, Table
from contribd.terminal.screens import TextScreen

QUOTES = Table(
    "quotes",
    "Quotes",
    (Column("ric", "RIC", 12), Column("count", "Count", 8, right=True), Column("text", "Text", 10, rank=1, grows=True)),
    "no quote",
)
OTHERS = Table("others", "Others", (Column("name", "Name", 10, grows=True),), "there is none")
ROWS = [Row(f"R{n:02d}", (f"R{n:02d}=", n * 7 % 50, "word" if n % 2 else None), Tone.GOOD) for n in range(50)]

App = LiveApp
Steps = Callable[[App, Pilot[None]], Awaitable[None]]


@dataclass
class Made:
    """A view of made-up rows."""

    name: str = "made"
    subject: str = "nothing"
    tables: tuple[Table, ...] = (QUOTES, OTHERS)
    help: str = "What is shown."
    rows: list[Row] = field(default_factory=lambda: list(ROWS))
    asked: int = 0
    running: bool = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def picture(self) -> Picture:
        self.asked += 1
        head = ((Piece(f"{len(self.rows)} quotes", Tone.STRONG),),)
        return Picture(head, {"quotes": tuple(self.rows), "others": ()})

    def details(self, table: Table, row: Row) -> str:
        return listed(table, row)


def run(view: Made, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    """The program, with these steps taken in it."""

    async def inside() -> None:
        app = LiveApp(view)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(inside())


def lines(app: App) -> list[str]:
    """The screen as text."""
    table = app.query_one(LiveTable)
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


def told(app: App) -> str:
    """The lines around the table."""
    return "\n".join(
        str(app.screen_stack[0].query_one(f"#{name}", Static).content) for name in ("head", "tabs", "foot")
    )


def keys(app: App) -> list[str]:
    return [row.key for row in app.query_one(LiveTable).model.rows]


def test_it_shows_lines_on_top_a_table_and_its_keys() -> None:
    async def steps(app: App, _pilot: Pilot[None]) -> None:
        assert lines(app)[:2] == ["RIC             Count Text", "R00=                0 -"]
        for part in ("50 quotes", "[1 Quotes]", "2 Others", "row 1 of 50", "? help", "/ filter", "space pause"):
            assert part in told(app)

    run(Made(), steps)


def test_rows_are_gone_through_and_scroll() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press("down", "j", "up")
        assert "row 2 of 50" in told(app)
        await pilot.press("end")
        await pilot.pause()
        assert lines(app)[0].startswith("RIC")
        assert lines(app)[-1].startswith("R49=")
        assert "row 50 of 50" in told(app)
        await pilot.press("home", "pagedown")
        await pilot.pause()
        assert app.query_one(LiveTable).model.cursor > 10

    run(Made(), steps)


def test_it_sorts_by_keys_and_says_by_what() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert keys(app)[:2] == ["R00", "R43"]
        assert "▲Count" in lines(app)[0]
        assert "by Count, rising" in told(app)
        await pilot.press("r")
        assert keys(app)[0] == "R07"
        assert "▼Count" in lines(app)[0]
        await pilot.press("less_than_sign")
        assert "by RIC, rising" in told(app)

    run(Made(), steps)


def test_a_click_on_a_title_sorts_and_one_on_a_row_selects_it() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.click(LiveTable, offset=(16, 0))
        assert keys(app)[0] == "R00"
        await pilot.click(LiveTable, offset=(16, 0))
        assert keys(app)[0] == "R07"
        await pilot.click(LiveTable, offset=(3, 4))
        assert "row 4 of 50" in told(app)

    run(Made(), steps)


def test_it_filters_while_words_are_typed_and_keeps_them() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press("slash", "r", "1")
        assert keys(app) == [f"R1{n}" for n in range(10)]
        await pilot.press("enter", "down")
        assert "filter: r1 (40 hidden)" in told(app)
        assert "row 2 of 10" in told(app)
        await pilot.press("escape")
        assert len(keys(app)) == 50
        assert not app.query_one(Input).has_class("open")

    run(Made(), steps)


def test_a_filter_that_nothing_passes_says_so_in_the_place_of_rows() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press("slash", "z", "enter")
        assert lines(app)[1] == "no row has all of: z"
        await pilot.press("enter", "2")
        assert lines(app)[1] == "there is none"

    run(Made(), steps)


def test_a_pause_keeps_the_picture_and_goes_on_with_now() -> None:
    view = Made()

    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press("space")
        assert "PAUSED at" in told(app)
        view.rows = [Row("new", ("NEW=", 1, None)), *ROWS]
        asked = view.asked
        app.look()
        await pilot.pause()
        assert view.asked > asked
        assert ("50 quotes" in told(app), keys(app)[0]) == (True, "R00")
        await pilot.press("greater_than_sign", "r")
        assert keys(app)[0] == "R49"
        await pilot.press("space")
        assert "PAUSED" not in told(app)
        assert ("51 quotes" in told(app), "new" in keys(app)) == (True, True)

    run(view, steps)


def test_tables_are_changed_by_tab_and_number_and_each_keeps_its_order() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press("greater_than_sign", "tab")
        assert "[2 Others]" in told(app)
        assert "by " not in told(app)
        await pilot.press("tab")
        assert "by RIC, rising" in told(app)
        await pilot.press("2", "9")
        assert "[2 Others]" in told(app)

    run(Made(), steps)


@pytest.mark.parametrize(("key", "text"), [("question_mark", "What is shown."), ("enter", "Count  0")])
def test_help_and_a_row_told_whole_open_and_close(key: str, text: str) -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await app.workers.wait_for_complete()
        assert isinstance(app.screen, TextScreen)
        assert text in str(app.screen.query_one("#text", Static).content)
        await pilot.press("escape")
        assert not isinstance(app.screen, TextScreen)

    run(Made(), steps)


def test_columns_give_way_in_a_narrow_terminal() -> None:
    async def steps(app: App, pilot: Pilot[None]) -> None:
        assert lines(app)[0].split() == ["RIC", "Count"]
        await pilot.resize_terminal(100, 10)
        await pilot.pause()
        assert lines(app)[0].split() == ["RIC", "Count", "Text"]

    run(Made(), steps, size=(30, 10))


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_it_is_left_by_a_key_and_looks_no_more(key: str) -> None:
    view = Made()

    async def steps(_app: App, pilot: Pilot[None]) -> None:
        assert view.running
        await pilot.press(key)
        await pilot.pause()

    run(view, steps)
    assert not view.running
