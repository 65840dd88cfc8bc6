"""``python -m tests.terminal.screenshots``: pictures of the page and of the live views for the documents.

The demo runs with everything that belongs to it; the real programs look at it. Without a terminal textual writes what
they show as SVG; the page is shown by a real Chromium, without a window.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.integration.rigs.browser import Browser

from contribd.cli.tap import view_of as tap_view
from contribd.config.load import load
from contribd.results.filters import Filters
from contribd.terminal.daemon_reader import DaemonReader
from contribd.terminal.live_app import LiveApp
from contribd.terminal.picture import View
from contribd.terminal.top_view import TopView

DOCS: Final = Path(__file__).parents[2] / "docs"
SIZE: Final = (110, 26)
WATCHED: Final = 25.0
"""Seconds: the chart is full then."""

SHOWN: Final = 5.0
"""Seconds until the page has asked for all that it shows."""


PAGE_SIZE: Final = (1180, 900)


class Shot(NamedTuple):
    """A picture: the keys that lead to it, and the file it goes to."""

    keys: Sequence[str]
    file: str


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, Path]]:
    """A running demo: the address of its status page, and its configuration."""
    command = [sys.executable, "-m", "contribd", "demo", "--keep", "--rate", "200", "--seconds", "100"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                break
        else:
            raise RuntimeError("the demo has ended")
        try:
            yield found[0], next(folder.glob("*/contribd.yaml"))
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()


async def shoot(view: View, shots: Sequence[Shot]) -> None:
    """Runs the program on a view, and takes the pictures one after the other."""
    app = LiveApp(view)
    async with app.run_test(size=SIZE) as pilot:
        await asyncio.sleep(WATCHED)
        for shot in shots:
            await pilot.press(*shot.keys)
            await pilot.pause(0.5)
            picture = app.export_screenshot(title=f"contribd {view.name}")
            (DOCS / shot.file).write_text(without_fonts(picture))


def without_fonts(svg: str) -> str:
    """A document asks no other host for anything: the fonts of who reads it do."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def shoot_page(url: str, folder: Path) -> None:
    """The page by day and by night."""
    with Browser(folder / "browser") as browser:
        for dark, name in ((False, "page.png"), (True, "page-dark.png")):
            browser.size(*PAGE_SIZE, dark=dark)
            browser.go(url)
            time.sleep(SHOWN)
            browser.screenshot(DOCS / name, whole=False)


def main() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory(prefix="contribd-screenshots-") as folder, demo(Path(folder)) as (url, config):
        top = TopView(DaemonReader(url, 1.0))
        asyncio.run(
            shoot(top, [Shot((), "top.svg"), Shot(("2",), "top-wrong.svg"), Shot(("3",), "top-partitions.svg")])
        )
        shoot_page(url, Path(folder))
        kafka = load(config).settings.kafka
        tap = tap_view(kafka, Filters(), 20, with_input=True)
        asyncio.run(
            shoot(tap, [Shot(("down", "down"), "tap.svg"), Shot(("slash", *"nak", "enter", "space"), "tap-nak.svg")])
        )


if __name__ == "__main__":
    main()
