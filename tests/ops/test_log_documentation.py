"""docs/log.md: every line that the source can write is there, with its level, part and facts, and no other."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.ops.log_events import LogEvent, log_events

PAGE = Path(__file__).parents[2] / "docs" / "log.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([a-z, ]+) \| (\w+) \| ([^|]*) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

ADDED_LATER = {"cannot_tell", "has", "max_message_size", "needs_restart", "ping_timeout", "problems", "takes_posts"}
"""Facts that are put together before the call, so that it does not show them."""


class Row(NamedTuple):
    levels: set[str]
    part: str
    facts: set[str]


def documented() -> dict[str, Row]:
    rows = ROW.findall(PAGE.read_text())
    assert len({row[0] for row in rows}) == len(rows), "a line stands there twice"
    return {
        text: Row(set(levels.split(", ")), part, set(re.findall(r"`(\w+)`", facts)))
        for text, levels, part, facts, *_ in rows
    }


def written() -> dict[str, list[LogEvent]]:
    found: defaultdict[str, list[LogEvent]] = defaultdict(list)
    for event in log_events():
        found[event.text].append(event)
    return found


def test_every_line_of_the_source_is_on_the_page_and_every_line_of_the_page_in_the_source() -> None:
    assert sorted(documented()) == sorted(written())
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert len(table) == len(documented()), "a row of the page cannot be read"


@pytest.mark.parametrize("text", sorted(written()))
def test_a_line_has_the_level_the_part_and_the_facts_that_the_page_says(text: str) -> None:
    row, events = documented()[text], written()[text]
    where = [event.where for event in events]
    assert row.levels <= {event.level for event in events}, where
    assert {row.part} == {event.part for event in events}, where
    facts = {fact for event in events for fact in event.fields}
    assert facts <= row.facts, where
    assert row.facts - facts <= ADDED_LATER, where


def test_a_line_is_plain() -> None:
    """It begins in lower case but for names, has no end of line, and does not end in a full stop."""
    for text in documented():
        assert not text.endswith("."), text
        assert text[0].islower(), text
        assert text.isprintable(), text
