"""``contribd test --watch``: runs again when a file changes, and lives on over mistakes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contribd.cli import app
from contribd.cli.watching import state, wait_for_change

GOOD = """
mappings: [{name: only, ric: "{pair}=", fields: {BID: bid}}]
tests: [{record: {pair: EUR, bid: 1}, post: {ric: EUR=, fields: {BID: 1}}}]
"""


def write(path: Path) -> None:
    path.write_text("longer than before")


def add(path: Path) -> None:
    (path.parent / "new.yaml").write_text("")


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    new = path.with_suffix(".new")
    new.write_text(path.read_text())
    new.replace(path)


@pytest.mark.parametrize("change", [write, add, remove, replace])
def test_every_kind_of_change_is_seen(tmp_path: Path, change: Callable[[Path], None]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    looks = []

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            change(file)

    wait_for_change(state([file]), sleep)
    assert len(looks) == 4


def test_save_in_several_steps_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    looks: list[int] = []

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) < 4:
            file.write_text("x" * len(looks))

    wait_for_change(state([file]), sleep)
    assert len(looks) == 4


def test_it_is_for_people(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(GOOD)
    assert CliRunner().invoke(app, ["test", str(file), "--watch", "--json"]).exit_code == 2


def test_mistake_is_shown_and_the_next_save_is_tested(tmp_path: Path) -> None:
    file, out = tmp_path / "a.yaml", tmp_path / "out"
    file.write_text(GOOD)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("CONTRIBD_CONFIG", None)
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "contribd", "test", str(file), "--watch"],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            # Where the tests run in the background of a shell, it has interrupts ignored, and a child would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread here
        )
    try:
        expect(out, "1 passed", 1)
        file.write_text(GOOD.replace("BID: bid", "BID: bid +"))
        expect(out, "1 problem", 1)
        file.write_text(GOOD.replace("bid: 1", "bid: 2"))
        expect(out, "1 failed, 0 passed", 1)
        file.write_text(GOOD)
        expect(out, "1 passed", 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in out.read_text()
    assert "\x1b[2J" not in out.read_text()


def expect(out: Path, text: str, times: int) -> None:
    until = time.monotonic() + 40
    while out.read_text().count(f"{text}\n") < times:
        assert time.monotonic() < until, out.read_text()
        time.sleep(0.05)
