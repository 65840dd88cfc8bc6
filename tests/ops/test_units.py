"""The systemd units: systemd itself finds nothing wrong with them, and they fit the daemon."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from contribd.cli import EXIT_CONFIG, EXIT_USAGE, app
from contribd.config.model import Ads
from contribd.loop import DRAIN_MARGIN
from contribd.ops.http import _MAX_CLIENTS

UNITS = Path(__file__).parents[2] / "systemd"
ONE, MANY = UNITS / "contribd.service", UNITS / "contribd@.service"
SEAL, SEAL_TIMER = UNITS / "contribd-seal.service", UNITS / "contribd-seal.timer"
EXPORT, EXPORT_TIMER = UNITS / "contribd-export.service", UNITS / "contribd-export.timer"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian package systemd)"
)


def settings(unit: Path) -> list[tuple[str, str]]:
    """The unit's settings in order; lines that are commented out are none."""
    lines = [line for line in unit.read_text().splitlines() if re.match(r"[A-Za-z]+=", line)]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def setting(unit: Path, name: str) -> str:
    (value,) = [value for key, value in settings(unit) if key == name]
    return value


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
@pytest.mark.parametrize(
    ("source", "name"),
    [(ONE, "contribd.service"), (MANY, "contribd@fx.service"), (SEAL, SEAL.name), (EXPORT, EXPORT.name)],
)
def test_systemd_finds_nothing_wrong(source: Path, name: str, tmp_path: Path) -> None:
    # The program is not installed where the tests run.
    (tmp_path / source.name).write_text(source.read_text().replace("/opt/contribd/bin/contribd", "/bin/true"))
    verified = analyze("verify", "--man=no", str(tmp_path / name))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(("unit", "timer"), [(SEAL, SEAL_TIMER), (EXPORT, EXPORT_TIMER)])
def test_systemd_knows_what_the_timer_starts(unit: Path, timer: Path, tmp_path: Path) -> None:
    (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/contribd/bin/contribd", "/bin/true"))
    (tmp_path / timer.name).write_text(timer.read_text())
    verified = analyze("verify", "--man=no", str(tmp_path / timer.name))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_seals_and_exports_are_made_by_other_users_than_the_daemons() -> None:
    assert setting(SEAL, "User") == "contribd-audit"
    assert setting(EXPORT, "User") == "contribd-export"
    assert setting(SEAL, "DynamicUser") == setting(EXPORT, "DynamicUser") == "yes"
    assert "User" not in dict(settings(ONE))


def test_an_export_has_the_sandbox_of_a_seal() -> None:
    own = {"Description", "ExecStart", "LoadCredential", "TimeoutStartSec", "User", "StateDirectory"}
    more = {"Nice", "IOSchedulingClass"}
    assert [each for each in settings(EXPORT) if each[0] not in own | more] == [
        each for each in settings(SEAL) if each[0] not in own
    ]


@pytest.mark.parametrize("unit", [SEAL, EXPORT])
def test_a_unit_of_the_audit_runs_a_command_that_there_is(unit: Path) -> None:
    program, *arguments = setting(unit, "ExecStart").split()
    assert program == "/opt/contribd/bin/contribd"
    found = get_command(app)
    for word in arguments[:2]:
        found = found.get_command(None, word)  # type: ignore[attr-defined]
    known = {option for each in found.params for option in each.opts}
    assert {word for word in arguments if word.startswith("--")} <= known


@needs_systemd
@pytest.mark.parametrize("unit", [ONE, MANY, SEAL, EXPORT])
def test_the_sandbox_leaves_little_exposed(unit: Path) -> None:
    # In tenths: 1.1 is what remains with the network and the host's files, both of which it needs.
    rated = analyze("security", "--offline=yes", "--no-pager", "--threshold=11", str(unit))
    assert rated.returncode == 0, rated.stdout


def test_both_units_are_the_same_but_for_the_instance() -> None:
    own = {"Description", "ExecStart", "ExecReload", "Environment", "EnvironmentFile", "RuntimeDirectory"}
    assert [item for item in settings(ONE) if item[0] not in own] == [i for i in settings(MANY) if i[0] not in own]
    differing = [line for line in MANY.read_text().splitlines() if "%" in line]
    assert {line.partition("=")[0] for line in differing} == own


@pytest.mark.parametrize("unit", [ONE, MANY])
def test_a_stop_is_given_the_time_the_daemon_takes(unit: Path) -> None:
    ack_timeout = Ads.model_fields["ack_timeout"].default
    closing = 10.0
    assert seconds(setting(unit, "TimeoutStopSec")) >= ack_timeout + DRAIN_MARGIN + closing


@pytest.mark.parametrize("unit", [ONE, MANY])
def test_what_a_restart_cannot_mend_is_not_restarted(unit: Path) -> None:
    assert setting(unit, "Restart") == "on-failure"
    assert set(setting(unit, "RestartPreventExitStatus").split()) == {str(EXIT_USAGE), str(EXIT_CONFIG)}


@pytest.mark.parametrize("unit", [ONE, MANY])
def test_limits_leave_room_for_every_http_client(unit: Path) -> None:
    assert int(setting(unit, "LimitNOFILE")) > 4 * _MAX_CLIENTS
    assert int(setting(unit, "TasksMax")) > 2 * _MAX_CLIENTS


@pytest.mark.parametrize("unit", [ONE, MANY])
def test_every_setting_exists_in_the_oldest_supported_systemd_and_no_secret_is_in_it(unit: Path) -> None:
    text = unit.read_text()
    assert "#RestartSteps=" in text  # known from 254 on: earlier ones would complain at every start
    assert not re.search(r"^(?:Set)?Credential|password=\S", text, re.IGNORECASE | re.MULTILINE)
