"""A test that lacks its tools says what to install; where they are demanded it fails instead."""

import shutil

import pytest
from tests.integration.rigs import needs


@pytest.fixture(autouse=True)
def without_maven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("CONTRIBD_REQUIRE_INTEGRATION", raising=False)
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "mvn" else f"/usr/bin/{tool}")


def test_a_missing_tool_skips_with_what_to_install() -> None:
    with pytest.raises(pytest.skip.Exception, match="apt-get install openjdk-17-jdk-headless maven"):
        needs.java_and_maven()


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("CONTRIBD_REQUIRE_INTEGRATION", "1")])
def test_a_missing_tool_fails_where_it_is_demanded(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(pytest.fail.Exception, match="apt-get install openjdk-17-jdk-headless maven"):
        needs.java_and_maven()


def test_an_ordinary_user_cannot_boot_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(pytest.skip.Exception, match="run as root"):
        needs.root_and_systemd()
