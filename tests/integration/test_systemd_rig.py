"""The systemd rig runs units as a host's own systemd would, and leaves the host alone."""

import socket
from pathlib import Path

import pytest
from tests.integration.rigs.systemd import SystemdBox

NOTIFYING = """\
[Unit]
Description=Says that it is ready, then waits

[Service]
Type=notify
NotifyAccess=all
DynamicUser=yes
ExecStart=/bin/sh -c 'systemd-notify --ready --status="at work as $(id -un)"; echo "<4>careful"; exec sleep 600'
"""

WITH_CREDENTIAL = """\
[Service]
Type=oneshot
RemainAfterExit=yes
{user}
LoadCredential=token:/etc/rig-token
ExecStart=/bin/sh -c 'cd $CREDENTIALS_DIRECTORY; echo "read $(cat token) as $(stat -c %%U:%%a token)"'
"""

HANGING = """\
[Service]
Type=notify
NotifyAccess=all
WatchdogSec=1s
Restart=on-watchdog
RestartSec=100ms
ExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep 600'
"""


def test_a_notify_service_is_started_when_it_says_so(systemd: SystemdBox) -> None:
    systemd.install("rig-notify.service", NOTIFYING)
    systemd.systemctl("start", "rig-notify")
    assert systemd.property("rig-notify", "ActiveState") == "active"
    assert systemd.property("rig-notify", "StatusText") == "at work as rig-notify"
    systemd.systemctl("stop", "rig-notify")
    assert systemd.property("rig-notify", "ActiveState") == "inactive"


def test_the_journal_has_the_priority_of_each_line(systemd: SystemdBox) -> None:
    systemd.install("rig-journal.service", NOTIFYING)
    systemd.systemctl("start", "rig-journal")
    (entry,) = [one for one in systemd.journal("rig-journal") if one["MESSAGE"] == "careful"]
    assert entry["PRIORITY"] == "4"
    assert any("Started" in text for text in systemd.messages("rig-journal"))


@pytest.mark.parametrize(
    ("user", "owner"), [("", "root:400"), ("User=nobody", "nobody:400"), ("DynamicUser=yes", "rig-cred")]
)
def test_credentials_are_loaded_for_any_user(systemd: SystemdBox, user: str, owner: str) -> None:
    unit = f"rig-cred-{owner[:3]}.service"
    systemd.write("/etc/rig-token", "sesame", mode="0600")
    systemd.install(unit, WITH_CREDENTIAL.format(user=user))
    systemd.systemctl("start", unit)
    assert any(text.startswith(f"read sesame as {owner}") for text in systemd.messages(unit))


def test_a_service_that_hangs_is_restarted_by_its_watchdog(systemd: SystemdBox) -> None:
    systemd.install("rig-watchdog.service", HANGING)
    systemd.systemctl("start", "rig-watchdog")
    systemd.wait_for("rig-watchdog", "NRestarts", "1")
    assert any("Watchdog timeout" in text for text in systemd.messages("rig-watchdog"))
    systemd.systemctl("stop", "rig-watchdog")


def test_a_wait_in_vain_shows_the_status(systemd: SystemdBox) -> None:
    systemd.install("rig-fails.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    systemd.systemctl("start", "rig-fails", check=False)
    with pytest.raises(AssertionError, match="status=1/FAILURE"):
        systemd.wait_for("rig-fails", "ActiveState", "active", within=0.2)


def test_what_is_written_in_the_box_stays_in_the_box(systemd: SystemdBox, tmp_path: Path) -> None:
    systemd.write("/etc/contribd-rig-trace", "x")
    assert systemd.run("cat", "/etc/contribd-rig-trace") == "x"
    assert not Path("/etc/contribd-rig-trace").exists()
    assert tmp_path.exists()
    with pytest.raises(ValueError, match="on the host"):
        systemd.write("/usr/contribd-rig-trace", "x")


def test_it_shares_the_network(systemd: SystemdBox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        systemd.run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}")
        server.accept()[0].close()


@pytest.mark.usefixtures("boots_systemd")
def test_two_boxes_do_not_see_each_others_services(systemd: SystemdBox) -> None:
    systemd.install("rig-twin.service", NOTIFYING)
    systemd.systemctl("start", "rig-twin")
    other = SystemdBox()
    other.start()
    try:
        assert "rig-twin" not in other.run("systemd-cgls", "--no-pager")
        other.install("rig-twin.service", NOTIFYING)
        other.systemctl("start", "rig-twin")
        other.systemctl("stop", "rig-twin")
    finally:
        other.stop()
    assert systemd.property("rig-twin", "ActiveState") == "active"
    assert systemd.property("rig-twin", "NRestarts") == "0"
    systemd.systemctl("stop", "rig-twin")


@pytest.mark.usefixtures("boots_systemd")
def test_a_box_that_stops_leaves_nothing(tmp_path: Path) -> None:
    box = SystemdBox()
    box.start()
    folder = box.log.parent
    box.stop()
    assert not folder.exists()
    assert str(folder) not in Path("/proc/mounts").read_text()
    assert tmp_path.exists()
