"""Lists in place of sections, and sections in place of lists: told once, and looked into all the same."""

from pathlib import Path

import pytest

from contribd.config.codes import FileCode
from contribd.config.mappings import read_mapping_file

RIC = "ric: X="


def told(folder: Path, text: str) -> list[tuple[str, int, int]]:
    file = folder / "m.yaml"
    file.write_text(text)
    return [(each.code, each.line, each.column) for each in sorted(read_mapping_file(file, "S").problems)]


@pytest.mark.parametrize(
    ("text", "line", "column", "inner"),
    [
        ("mappings:\n  spot:\n    ric: X=\n    fields: {BID: rund(bid)}\n", 1, 1, (4, 19)),
        ("mappings:\n  name: spot\n  ric: X=\n  fields: {BID: rund(bid)}\n", 1, 1, (4, 17)),
        ("mappings:\n  - name: spot\n    ric: X=\n    fields:\n      - BID: rund(bid)\n", 4, 5, (5, 14)),
        ("mappings:\n  - name: s\n    ric: X=\n    fields: {BID: bid}\n    checks: rund(bid) > 0\n", 5, 13, (5, 13)),
        ("- name: spot\n  ric: X=\n  fields: {BID: rund(bid)}\n", 1, 1, (3, 17)),
    ],
)
def test_what_stands_inside_is_checked_all_the_same(
    tmp_path: Path, text: str, line: int, column: int, inner: tuple[int, int]
) -> None:
    found = told(tmp_path, text)
    assert sorted(found, key=lambda each: each[0]) == [(FileCode.KIND, line, column), ("M120", *inner)]


def test_what_is_right_stays_as_it_is(tmp_path: Path) -> None:
    text = (
        "mappings:\n  - name: a\n    ric: X=\n    fields: {BID: {from: bid}, ASK: ask}\n"
        "    checks: [{that: bid > 0}, bid < 2]\n"
        "tests:\n  - record: {bid: [{a: 1}], ask: 1}\n    rejected: BadValue\n"
    )
    assert told(tmp_path, text) == []
