"""The host's clock: what the kernel tells is read right, and told once."""

import errno
import io
import json
import platform

import pytest
from tests.ops.samples import snapshot

from contribd.ops import host_clock
from contribd.ops.host_clock import INTERVAL, HostClock, clock_view, read_clock
from contribd.ops.log import configure
from contribd.ops.metrics import build_registry
from contribd.ops.snapshot import ClockView
from contribd.ops.status import status_document

KEPT, ADRIFT, HIDDEN = ClockView(synchronized=True), ClockView(synchronized=False), ClockView(unknown="hidden")


@pytest.mark.skipif(platform.system() != "Linux", reason="adjtimex is Linux's")
def test_the_kernel_s_answer_has_a_sense() -> None:
    found = read_clock()
    if found.synchronized is None:
        assert found.unknown
        return
    assert found.offset is not None
    assert found.max_error is not None
    assert abs(found.offset) < 1
    assert 0 <= found.max_error <= 16.1  # beyond it the kernel says that nobody keeps the clock
    assert found.synchronized or found.max_error > 0


def test_the_unit_of_the_offset_is_that_of_the_status() -> None:
    assert clock_view(0, 0, 0x2001, 1_500_000, 250) == ClockView(synchronized=True, offset=0.0015, max_error=0.00025)
    assert clock_view(0, 0, 0x0001, 1_500, 250) == ClockView(synchronized=True, offset=0.0015, max_error=0.00025)
    assert clock_view(5, 0, 0x0040, 0, 16_000_000) == ClockView(synchronized=False, offset=0.0, max_error=16.0)


@pytest.mark.parametrize(("error", "text"), [(errno.EPERM, "ProtectClock="), (errno.EFAULT, "Bad address")])
def test_what_cannot_be_read_is_unknown_and_says_why(error: int, text: str) -> None:
    found = clock_view(-1, error, 0, 0, 0)
    assert (found.synchronized, found.offset) == (None, None)
    assert text in (found.unknown or "")


def test_a_system_without_adjtimex_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_clock, "_libc", lambda: None)
    assert read_clock() == ClockView(unknown="this system does not tell")


@pytest.mark.parametrize(
    ("looks", "lines"),
    [
        ([KEPT, KEPT, HIDDEN], []),
        ([HIDDEN, HIDDEN], []),
        ([ADRIFT, ADRIFT, HIDDEN, ADRIFT], ["warning"]),
        ([KEPT, ADRIFT, ADRIFT, KEPT, KEPT, ADRIFT], ["warning", "info", "warning"]),
    ],
)
def test_a_clock_that_nobody_keeps_is_told_once(looks: list[ClockView], lines: list[str], written: io.StringIO) -> None:
    configure("info", "json", stream=written)
    coming = iter(looks)
    clock = HostClock(lambda: next(coming))
    for number, expected in enumerate(looks):
        assert clock.follow(number * INTERVAL) == expected
        assert clock.follow(number * INTERVAL + 1) == expected
    assert [json.loads(line)["level"] for line in written.getvalue().splitlines()] == lines


def test_status_and_metrics_have_it_and_leave_out_what_is_not_known() -> None:
    document = status_document(snapshot(), [])
    assert document["clock"] == {"synchronized": True, "offset": -0.00025, "max_error": 0.5, "unknown": None}
    registry = build_registry(snapshot)
    assert registry.get_sample_value("contribd_clock_synchronized") == 1
    assert registry.get_sample_value("contribd_clock_offset_seconds") == -0.00025
