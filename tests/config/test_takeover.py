"""What a reload takes over: every setting is in one table, and does what the table says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from contribd.config.errors import ConfigError
from contribd.config.load import Loaded, inspect, load
from contribd.config.model import Settings
from contribd.config.takeover import RESTART, TAKEN_OVER, TakenOver, take_over

DOCS = Path(__file__).parents[2] / "docs" / "reload.md"
MAPPING = 'mappings:\n  - {name: spot, ric: "{ric}", fields: {BID: bid}}\n'
PARTIAL = 'mappings:\n  - {name: page, ric: "{ric}", fields: {ROW64_1: {from: "partial(text, 3)", as: rmtes}}}\n'
BASE: dict[str, Any] = {
    "instance": "host",
    "kafka": {"bootstrap_servers": "127.0.0.1:1"},
    "ads": {"endpoints": ["ws://127.0.0.1:1/WebSocket"], "service": "TRCC"},
    "mappings": ["m.yaml"],
}


def paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """The dotted names of all settings; a section of several forms counts as one."""
    for name, field in model.model_fields.items():
        kinds = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        sections = [each for each in kinds if issubclass(each, BaseModel)]
        if len(sections) == 1:
            yield from paths(sections[0], f"{above}{name}.")
        else:
            yield f"{above}{name}"


def above(path: str) -> set[str]:
    """The path, and all that it is below."""
    parts = path.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts) + 1)}


ALL = list(paths(Settings))


def test_every_setting_is_taken_over_or_waits_for_a_restart_and_none_both() -> None:
    assert len(ALL) > 50
    for path in ALL:
        assert len(above(path) & {*TAKEN_OVER, *RESTART}) == 1, path


def test_the_tables_name_nothing_that_is_no_setting() -> None:
    known = set[str]().union(*map(above, ALL))
    assert known >= {*TAKEN_OVER, *RESTART}


def test_the_documentation_says_the_same_of_each_setting() -> None:
    rows = re.findall(r"^\| `([\w.]+)`[^|]*\| (at once|restart) \|", DOCS.read_text(), re.MULTILINE)
    assert dict(rows) == {**dict.fromkeys(TAKEN_OVER, "at once"), **dict.fromkeys(RESTART, "restart")}


class Files:
    """A configuration on disk, and what is in force of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("secret", "first-secret")
        self.write("m.yaml", MAPPING)
        self.client = {"sasl_plain_password": "${file:%s}" % (folder / "secret")}
        self.configure()
        self.in_force: Loaded = load(folder / "contribd.yaml", environ={})

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def configure(self, **sections: Any) -> None:
        merged = {
            name: {**BASE.get(name, {}), **given} if isinstance(given, dict) else given
            for name, given in sections.items()
        }
        kafka = {"client": self.client, **merged.pop("kafka", BASE["kafka"])}
        self.write("contribd.yaml", yaml.safe_dump({**BASE, **merged, "kafka": kafka}))

    def take_over(self) -> TakenOver:
        return take_over(inspect(self.folder / "contribd.yaml", environ={}), self.in_force)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_without_a_change_all_is_the_same(files: Files) -> None:
    taken = files.take_over()
    assert (taken.loaded.digest, taken.restart) == (files.in_force.digest, ())
    assert taken.file_digest == files.in_force.digest


def test_settings_that_are_taken_over_are_new_and_so_is_the_digest(files: Files) -> None:
    files.configure(contribution={"max_age": "30s"}, ads={"pack": 7}, log={"level": "debug"})
    taken = files.take_over()
    settings = taken.loaded.settings
    assert (settings.contribution.max_age, settings.ads.pack, settings.log.level) == (30.0, 7, "debug")
    assert taken.restart == ()
    assert taken.loaded.digest == taken.file_digest == load(files.folder / "contribd.yaml", environ={}).digest


def test_settings_that_wait_for_a_restart_are_named_and_stay(files: Files) -> None:
    files.configure(
        instance="other",
        kafka={"results": "elsewhere", "client": {**files.client, "fetch_max_bytes": 1}},
        ads={"endpoints": ["ws://127.0.0.1:2/WebSocket"], "tls": {"ca_file": "ca"}, "pack": 7},
        http=None,
    )
    files.write("ca", "no certificate: no endpoint asks for one")
    taken = files.take_over()
    assert set(taken.restart) == {
        "instance",
        "kafka.results",
        "kafka.client.fetch_max_bytes",
        "ads.endpoints",
        "ads.tls.ca_file",
        "http.listen",
    }
    settings, before = taken.loaded.settings, files.in_force.settings
    assert settings == before.model_copy(update={"ads": before.ads.model_copy(update={"pack": 7})})
    assert taken.loaded.rules.settings["kafka"] == files.in_force.rules.settings["kafka"]
    assert taken.loaded.digest not in (taken.file_digest, files.in_force.digest)
    files.configure(ads={"pack": 7})
    assert taken.loaded.digest == files.take_over().file_digest, "the digest of what holds, whatever the file says"


def test_only_what_waits_for_a_restart_changes_nothing_else(files: Files) -> None:
    files.configure(kafka={"results": "elsewhere"})
    taken = files.take_over()
    assert (taken.loaded.digest, taken.restart) == (files.in_force.digest, ("kafka.results",))


def test_a_secret_that_the_client_reads_at_each_login_needs_no_restart_and_is_not_shown(files: Files) -> None:
    files.write("secret", "second-secret")
    taken = files.take_over()
    assert taken.restart == ()
    files.configure(kafka={"client": {"sasl_plain_password": "${file:%s}" % (files.folder / "other")}})
    files.write("other", "third-secret")
    taken = files.take_over()
    assert taken.restart == ("kafka.client.sasl_plain_password",)
    assert "third-secret" in taken.loaded.secrets
    assert "secret" not in str(taken.restart).replace("kafka.client.sasl_plain_password", "")


@pytest.mark.parametrize("login", ["password-grant", "client-credentials"])
def test_another_way_to_log_in_is_named_as_a_whole(files: Files, login: str) -> None:
    given = {"type": login, "token_url": "https://t/", "client_id": "c"}
    given |= {"username": "u", "password": "p"} if login == "password-grant" else {"client_secret": "s"}
    files.configure(ads={"auth": given})
    assert files.take_over().restart == ("ads.auth",)


def test_what_stays_may_contradict_what_is_new(files: Files) -> None:
    """Partial updates cannot be merged, and prices are, until a restart."""
    files.write("m.yaml", PARTIAL)
    files.configure(contribution={"conflate": False}, ads={"rmtes_escape": "raw"})
    assert inspect(files.folder / "contribd.yaml", environ={}).problems == []
    with pytest.raises(ConfigError) as error:
        files.take_over()
    [problem] = error.value.problems
    assert problem.path == "contribution.conflate"
    assert "mapping page" in problem.text
    assert "until a restart" in problem.text


def test_tests_that_fail_are_problems_each_with_its_place(files: Files) -> None:
    tests = "tests:\n  - {record: {ric: A=, bid: 1}, post: {ric: A=, fields: {BID: 1}}}\n"
    tests += "  - {name: wrong, record: {ric: A=, bid: 1}, post: {ric: B=, fields: {BID: 2}}}\n"
    files.write("m.yaml", MAPPING + tests)
    with pytest.raises(ConfigError) as error:
        files.take_over()
    [problem] = error.value.problems
    assert (problem.file.name, problem.line) == ("m.yaml", 5)
    assert problem.text == "test wrong fails: ric is A=, expected B=, fields.BID is 1, expected 2"


def test_every_problem_is_told(files: Files) -> None:
    files.write("m.yaml", MAPPING.replace("bid", "bid +") + "colour: red\n")
    files.configure(ads={"pack": 0})
    with pytest.raises(ConfigError) as error:
        files.take_over()
    assert len(error.value.problems) == 3
