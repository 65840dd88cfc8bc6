"""What the service manager is told, over a real datagram socket."""

import io
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from contribd.ops.log import configure
from contribd.ops.notify import Notifier, Watchdog, watchdog_timeout
from contribd.ops.progress import Progress


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket and its $NOTIFY_SOCKET."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@contribd-test-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        receiver.settimeout(5)
        yield receiver, address


def received(receiver: socket.socket) -> list[str]:
    return receiver.recv(4096).decode().split("\n")


def nothing_more(receiver: socket.socket) -> bool:
    receiver.setblocking(False)
    try:
        receiver.recv(4096)
    except BlockingIOError:
        return True
    finally:
        receiver.settimeout(5)
    return False


def test_the_manager_is_told_of_each_stage(manager: tuple[socket.socket, str]) -> None:
    receiver, address = manager
    notifier = Notifier.from_environ({"NOTIFY_SOCKET": address})
    assert notifier.enabled
    notifier.ready("contributing to TRCC")
    assert received(receiver) == ["READY=1", "STATUS=contributing to TRCC"]
    notifier.reloading(12.5)
    assert received(receiver) == ["RELOADING=1", "MONOTONIC_USEC=12500000"]
    notifier.extend(30)
    assert received(receiver) == ["EXTEND_TIMEOUT_USEC=30000000"]
    notifier.watchdog()
    assert received(receiver) == ["WATCHDOG=1"]
    notifier.stopping("waiting for 3 answers")
    assert received(receiver) == ["STOPPING=1", "STATUS=waiting for 3 answers"]
    notifier.close()
    notifier.watchdog()
    assert nothing_more(receiver)


def test_a_status_is_sent_when_it_changes_and_is_always_one_field(manager: tuple[socket.socket, str]) -> None:
    receiver, address = manager
    notifier = Notifier(address)
    notifier.ready("up")
    received(receiver)
    notifier.status("up")
    notifier.status("lost:\nREADY=1 not really")
    assert received(receiver) == ["STATUS=lost: READY=1 not really"]
    notifier.close()


def test_without_a_manager_nothing_happens() -> None:
    notifier = Notifier.from_environ({"NOTIFY_SOCKET": ""})
    assert not notifier.enabled
    notifier.ready("up")
    notifier.close()


@pytest.mark.parametrize("address", ["/nonexistent/notify", "vsock:2:1234", "/" + "x" * 200])
def test_an_unusable_socket_is_reported_once_and_then_left_alone(address: str, written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    notifier = Notifier(address)
    notifier.ready("up")
    notifier.watchdog()
    assert not notifier.enabled
    assert written.getvalue().count("\n") == 1
    assert "cannot notify the service manager" in written.getvalue()


def test_a_manager_that_does_not_read_costs_a_notification_and_not_the_daemon(
    tmp_path: Path, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contribd.ops.notify._SEND_TIMEOUT", 0.01)
    configure("info", "journald", stream=written)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        notifier = Notifier(str(tmp_path / "notify"))
        for _ in range(10_000):
            notifier.watchdog()
            if written.getvalue():
                break
        assert "does not read its notifications" in written.getvalue()
        assert notifier.enabled
        notifier.close()


def test_the_watchdog_is_fed_every_half_of_its_time_while_all_threads_move(manager: tuple[socket.socket, str]) -> None:
    receiver, address = manager
    notifier, progress = Notifier(address), Progress()
    pulse = progress.pulse("worker", allowance=4.0, now=0.0)
    watchdog = Watchdog(notifier, progress, timeout=10.0)
    assert watchdog.interval == 5.0
    watchdog.tick(1.0)
    assert received(receiver) == ["WATCHDOG=1"]
    pulse.beat(5.9)
    watchdog.tick(5.9)
    assert nothing_more(receiver)
    watchdog.tick(6.0)
    assert received(receiver) == ["WATCHDOG=1"]
    notifier.close()


def test_the_watchdog_starves_while_a_thread_has_stalled_and_is_fed_as_soon_as_it_moves(
    manager: tuple[socket.socket, str], written: io.StringIO
) -> None:
    configure("info", "journald", stream=written)
    receiver, address = manager
    notifier, progress = Notifier(address), Progress()
    pulse = progress.pulse("stream", allowance=4.0, now=0.0)
    watchdog = Watchdog(notifier, progress, timeout=10.0)
    watchdog.tick(6.0)
    watchdog.tick(7.0)
    assert nothing_more(receiver)
    pulse.beat(7.5)
    watchdog.tick(7.5)
    assert received(receiver) == ["WATCHDOG=1"]
    notifier.close()
    stalled, moving = written.getvalue().splitlines()
    assert "stalled" in stalled
    assert "threads=stream" in stalled
    assert "move again" in moving


def test_the_watchdogs_time_comes_from_the_manager() -> None:
    assert watchdog_timeout({"WATCHDOG_USEC": "30000000"}) == 30.0
    assert watchdog_timeout({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}) == 30.0
    assert watchdog_timeout({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, pid=2) is None
    assert watchdog_timeout({"WATCHDOG_USEC": "0"}) is None
    assert watchdog_timeout({"WATCHDOG_USEC": "soon"}) is None
    assert watchdog_timeout({}) is None


def test_without_a_watchdog_there_is_nothing_to_feed(manager: tuple[socket.socket, str]) -> None:
    receiver, address = manager
    watchdog = Watchdog(Notifier(address), Progress(), None)
    assert watchdog.interval is None
    watchdog.tick(100.0)
    assert nothing_more(receiver)
