"""Rules put together again from what another process handed on."""

import json
from pathlib import Path

import pytest
from tests.dictionary.dictionary_samples import ENUMS, FIELDS

from contribd.config.load import load
from contribd.config.rebuild import NotRules, rebuilt
from contribd.config.rules import rules_document
from contribd.mapping.outcome import Mapped, Rejected

CONFIG = """\
instance: host
kafka: {bootstrap_servers: "127.0.0.1:1", client: {sasl_plain_password: "${SECRET}"}}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
mappings: [one.yaml, "two[1].yaml"]
"""
ONE = "mappings: [{name: one, when: 'kind == 1.50', ric: 'ONE', fields: {BID: bid, X: {value: 1.50}}}]"
TWO = "mappings: [{name: two, ric: 'TWO', fields: {BID: bid}}]"


def loaded_in(folder: Path, **texts: str) -> dict[str, object]:
    (folder / "contribd.yaml").write_text(CONFIG)
    (folder / "one.yaml").write_text(texts.get("one", ONE))
    (folder / "two[1].yaml").write_text(TWO)
    config = (folder / "contribd.yaml").read_text().replace("two[1]", "two[[]1]")
    (folder / "contribd.yaml").write_text(config)
    rules = load(folder / "contribd.yaml", environ={"SECRET": "s3cr3t"}).rules
    document: dict[str, object] = json.loads(rules_document(rules, "9.9"))
    return document


def test_they_map_as_before_when_their_files_are_gone(tmp_path: Path) -> None:
    document = loaded_in(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    rules = rebuilt(document, "the daemon")
    assert (rules.name, rules.digest, rules.version, rules.notes) == ("the daemon", document["digest"], "9.9", ())
    assert [mapping["name"] for mapping in rules.mappings] == ["one", "two"]
    outcome = rules.mapper.map(b'{"kind": 1.5, "bid": 2}')
    assert isinstance(outcome, Mapped)
    assert (outcome.ric, outcome.service) == ("ONE", "TRCC")


def test_a_dictionary_is_handed_on_with_them(tmp_path: Path) -> None:
    (tmp_path / "fields").write_bytes(FIELDS)
    (tmp_path / "enums").write_bytes(ENUMS)
    (tmp_path / "contribd.yaml").write_text(
        CONFIG.replace('one.yaml, "two[1].yaml"', "one.yaml") + "dictionary: {fields: fields, enums: enums}\n"
    )
    (tmp_path / "one.yaml").write_text("mappings: [{name: one, ric: ONE, fields: {BID: bid}}]")
    rules = load(tmp_path / "contribd.yaml", environ={"SECRET": "word"}).rules
    document = json.loads(rules_document(rules, "9.9"))
    for file in tmp_path.iterdir():
        file.unlink()
    found = rebuilt(document, "the daemon")
    assert found.notes == ()
    outcome, before = (each.mapper.map(b'{"bid": "no number"}') for each in (found, rules))
    assert isinstance(outcome, Rejected)
    assert outcome == before


def test_no_secret_is_handed_on_nor_the_configuration_itself(tmp_path: Path) -> None:
    document = loaded_in(tmp_path)
    assert "s3cr3t" not in json.dumps(document)
    assert set(document["files"]) == {str(tmp_path / "one.yaml"), str(tmp_path / "two[1].yaml")}  # type: ignore[call-overload]


def test_other_texts_than_those_of_the_digest_are_noted(tmp_path: Path) -> None:
    document = loaded_in(tmp_path)
    rules = rebuilt({**document, "digest": "0" * 64}, "the daemon")
    assert "have another digest here" in rules.notes[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": {}}, "cannot be read"),
        ({"files": {"/a.yaml": "no zlib"}}, "cannot be read"),
        ({"settings": None}, "cannot be read"),
        ({"files": {"/tmp/../etc/passwd": "eJwDAAAAAAE="}}, "is no path of a file"),  # noqa: S108 - nothing is written there
        ({"files": {"etc/passwd": "eJwDAAAAAAE="}}, "is no path of a file"),
        ({"mapping_files": []}, "not valid for this version"),
    ],
)
def test_what_is_no_rules_is_told(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(NotRules, match=said):
        rebuilt({**loaded_in(tmp_path), **change}, "the daemon")
