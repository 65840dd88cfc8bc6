"""Mapping files without effect: told with the place of the mapping, or in the configuration."""

from pathlib import Path

import pytest
from tests.config.conftest import Write

from contribd.config.errors import ConfigError
from contribd.config.load import load

EVERY = 'mappings:\n  - {name: every, ric: "{id}", fields: {BID: bid}}\n'
LATER = 'mappings:\n  - {name: later, when: x == 1, ric: "{id}", fields: {BID: bid}}\n'


def problems(file: Path) -> list[tuple[str, int, int, str, str]]:
    with pytest.raises(ConfigError) as raised:
        load(file, environ={})
    return [(each.file.name, each.line, each.column, each.code, each.text) for each in raised.value.problems]


def test_a_mapping_in_a_later_file_may_be_out_of_reach(write: Write) -> None:
    text = "later never takes a record: every, which is tried before it, takes every one"
    assert problems(write(a=EVERY, b=LATER)) == [("b.yaml", 2, 25, "M220", text)]


def test_the_order_of_the_files_counts(write: Write) -> None:
    assert [mapping.name for mapping in load(write(a=LATER, b=EVERY), environ={}).mapper.mappings] == ["later", "every"]


def test_a_second_mapping_without_a_when_is_told_at_its_name(write: Write) -> None:
    [found] = problems(write(a=EVERY, b=EVERY.replace("every", "again")))
    assert found[:4] == ("b.yaml", 2, 12, "M220")


def test_a_configuration_without_any_mapping_is_told(write: Write) -> None:
    [found] = problems(write(a="mappings: []\n", b="defaults: {service: S}\n"))
    assert (found[0], found[3]) == ("contribd.yaml", "M223")


def test_folders_and_links_to_nothing_among_the_files_are_told(write: Write) -> None:
    file = write(a=EVERY)
    folder = file.parent / "mappings"
    (folder / "old.yaml").mkdir()
    (folder / "gone.yaml").symlink_to("nowhere")
    assert [(code, text.replace(str(folder), "")) for _, _, _, code, text in problems(file)] == [
        ("M224", "/gone.yaml is a link to nowhere, which does not exist"),
        ("M224", "/old.yaml is a folder"),
    ]
