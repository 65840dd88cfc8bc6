"""docs/errors.md: every number is there with what it means, and its example produces it."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.mapping.mistaken_files import Mistaken, found_in, found_with_dictionary, whole

from contribd.config.codes import meanings
from contribd.config.errors import Problem

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
SECTION = re.compile(r"^### ([YCM]\d{3})\n\n(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"```yaml (\w+)\n(.*?)\n```\n\n> (.*?)  \n> = (.*?)\n", re.DOTALL)
FILE = re.compile(r"^# (\w+(?:\.\w+)?)\n", re.MULTILINE)

WITHOUT_EXAMPLE = {"Y101", "Y102", "Y103", "Y199", "C114", "M224", "M322", "M404", "M406", "M408", "M421"}
"""What a page of text cannot show: bytes, files that are not there, and what takes a whole dictionary."""

SHOWN_FOLDER = "/etc/contribd"
"""What the page shows in place of the folder that an example is in."""


class Section(NamedTuple):
    code: str
    meaning: str
    examples: list[tuple[str, str, str, str]]


SECTIONS = [
    Section(code, text.partition(".\n")[0], EXAMPLE.findall(text)) for code, text in SECTION.findall(PAGE.read_text())
]


def run_example(folder: Path, frame: str, text: str) -> list[Problem]:
    """What is told of an example; ``# NAME`` in it begins another file."""
    text, *others = FILE.split(text)
    for name, content in zip(others[::2], others[1::2], strict=True):
        (folder / name).write_text(content + "\n")
    case = Mistaken("", frame, text.rstrip("\n"), [])
    if frame == "dictionary":
        return found_with_dictionary(folder, whole(case))
    return found_in(folder, whole(case), config=frame == "config")


def test_every_number_is_explained_once_and_in_the_words_of_the_code() -> None:
    assert {section.code: section.meaning for section in SECTIONS} == meanings()
    assert len(SECTIONS) == len(meanings())


def test_every_number_has_an_example_but_those_that_cannot() -> None:
    assert {section.code for section in SECTIONS if not section.examples} == WITHOUT_EXAMPLE


@pytest.mark.parametrize("section", [each for each in SECTIONS if each.examples], ids=lambda section: section.code)
def test_an_example_produces_its_number_with_the_text_and_the_cure_shown(tmp_path: Path, section: Section) -> None:
    for frame, text, told, cure in section.examples:
        found = [problem for problem in run_example(tmp_path, frame, text) if problem.code == section.code]
        assert all(problem.cure for problem in found)
        assert (told, cure) in [(each.text.replace(str(tmp_path), SHOWN_FOLDER), each.advice) for each in found]
