"""``contribd reload``: what it asks of the daemon over a real socket, and what it says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.answering import Answering

from contribd import __version__
from contribd.orders import Answer
from contribd.reloads import Planned, ReloadOrder

CONFIG = """\
instance: host
kafka: {bootstrap_servers: "127.0.0.1:1"}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
control: {socket: %s}
mappings: [nowhere.yaml]
"""
DETAILS: dict[str, Any] = {"digest": "d" * 64, "changed": True, "restart": ["http.listen"], "problems": []}


def plan(daemon: Answering, **more: Any) -> str:
    """A file of a plan."""
    side = {"name": "x", "digest": "new", "version": __version__}
    document = {"candidate": side, "against": {**side, "digest": "old"}, **more}
    (daemon.folder / "plan.json").write_text(json.dumps(document))
    return str(daemon.folder / "plan.json")


@pytest.fixture
def daemon(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    answer = Answer(True, "rules dddd are in force", DETAILS)
    with Answering(tmp_path_factory.mktemp("d"), answer, CONFIG, "host.sock").listening() as made:
        yield made


def test_it_asks_the_daemon_and_says_what_is_in_force(daemon: Answering) -> None:
    assert daemon.run("reload") == (0, "rules dddd are in force\n", "")
    assert daemon.orders == [ReloadOrder()]
    code, out, _ = daemon.run("reload", "--json")
    assert (code, json.loads(out)) == (0, {"done": True, "text": "rules dddd are in force", **DETAILS})


def test_what_did_not_change_is_exit_1_with_every_problem(daemon: Answering) -> None:
    problems = [f"m.yaml:{line}:1: unknown key, and much more that is said of it" for line in range(2_000)]
    daemon.answer = Answer(False, "nothing changed: 2000 problems", {"problems": problems})
    code, out, said = daemon.run("reload")
    assert (code, out) == (1, "")
    assert said.splitlines() == [*problems, "nothing changed: 2000 problems"]
    code, out, _ = daemon.run("reload", "--json")
    assert (code, json.loads(out)["problems"]) == (1, problems)


def test_a_plan_is_handed_on_by_its_digests(daemon: Answering) -> None:
    assert daemon.run("reload", "--plan", plan(daemon))[0] == 0
    assert daemon.orders == [ReloadOrder(Planned("new", "old", __version__))]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"candidate": {}, "against": {}}', '{"candidate": 7}'])
def test_what_is_no_plan_is_exit_2_and_nothing_is_asked(daemon: Answering, text: str) -> None:
    (daemon.folder / "plan.json").write_text(text)
    code, _, said = daemon.run("reload", "--plan", str(daemon.folder / "plan.json"))
    assert code == 2
    assert "is no plan" in " ".join(said.split())
    assert daemon.orders == []


def test_a_digest_that_is_no_text_is_no_plan(daemon: Answering) -> None:
    assert daemon.run("reload", "--plan", plan(daemon, against={"digest": 7}))[0] == 2


def test_without_a_daemon_it_says_where_it_looked(daemon: Answering) -> None:
    daemon.server.close()
    code, _, said = daemon.run("reload")
    assert code == 1
    assert str(daemon.socket) in said


BROKEN = ["kafka: [", "instance: {}\n", CONFIG % "/nowhere/contribd.sock"]
"""It cannot be read; does not say its name; names the socket of another."""


@pytest.mark.parametrize("text", BROKEN)
def test_the_daemon_of_the_unit_is_found_whatever_has_become_of_the_configuration(
    daemon: Answering, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Else a file that is broken would be told to nobody but the caller."""
    daemon.config.write_text(text)
    assert daemon.run("reload")[0] != 0
    assert daemon.orders == []
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(daemon.folder))
    assert daemon.run("reload")[0] == 0
    assert daemon.orders == [ReloadOrder()]


def test_of_several_in_the_folder_of_the_unit_none_is_guessed(
    daemon: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.config.write_text(BROKEN[0])
    (daemon.folder / "other.sock").touch()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(daemon.folder))
    assert daemon.run("reload")[0] != 0
    assert daemon.orders == []
