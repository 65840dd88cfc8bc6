"""Where the control socket is: the daemon and whoever looks for it agree."""

from pathlib import Path

import pytest

from contribd.control import place
from contribd.control.place import daemon_socket, possible_sockets, socket_name


@pytest.mark.parametrize(
    ("setting", "environ", "expected"),
    [
        (None, {"RUNTIME_DIRECTORY": "/run/contribd"}, None),
        ("/x/y", {"RUNTIME_DIRECTORY": "/run/contribd"}, Path("/x/y")),
        ("auto", {"RUNTIME_DIRECTORY": "/run/contribd", "XDG_RUNTIME_DIR": "/u"}, Path("/run/contribd/host.sock")),
        ("auto", {"RUNTIME_DIRECTORY": "/run/contribd:/run/more"}, Path("/run/contribd/host.sock")),
        ("auto", {"XDG_RUNTIME_DIR": "/run/user/7"}, Path("/run/user/7/contribd/host.sock")),
        ("auto", {}, None),
    ],
)
def test_the_daemon_makes_it_where_the_system_gives_it_a_folder(
    setting: str | None, environ: dict[str, str], expected: Path | None
) -> None:
    assert daemon_socket(setting, "host", environ) == expected


def test_whoever_looks_for_it_looks_where_services_have_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "SYSTEM", tmp_path)
    (tmp_path / "contribd-fx").mkdir()
    found = list(possible_sockets("auto", "host", {"XDG_RUNTIME_DIR": "/run/user/7"}))
    expected = [Path("/run/user/7/contribd"), tmp_path / "contribd", tmp_path / "contribd-fx"]
    assert found == [folder / "host.sock" for folder in expected]
    assert list(possible_sockets("/x/y", "host", {})) == [Path("/x/y")]
    assert list(possible_sockets(None, "host", {})) == []


def test_every_instance_has_a_name_of_its_own_that_fits_into_a_socket_s() -> None:
    instances = ["host", "host/1", "host 1", "host_1", ".", "..", "", "x" * 300, "x" * 299, "börse"]
    names = [socket_name(instance) for instance in instances]
    assert names[0] == "host.sock"
    assert len(set(names)) == len(names)
    assert all(len(name) < 60 and "/" not in name and not name.startswith(".") for name in names)
