"""Mistaken files, each told with the right line, column, number and cure; none hides another, none ends in a trace.

The tables in tests/mapping/mistaken/ hold pieces of files with a § at each place where something is wrong. Before each
stand the number and the beginning of the cure of each mistake, in order. ``@`` names the frame that a piece stands in.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.mapping.mistaken_files import FIELDS, GOOD, Mistaken, cases, found_in, framed, places, whole

ROOT = Path(__file__).parents[2]
CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_mistake_is_told_at_its_place_with_its_number_and_its_cure(tmp_path: Path, case: Mistaken) -> None:
    text, marks = places(whole(case))
    problems = found_in(tmp_path, text, config=case.frame == "config")
    assert [each.code for each in problems] == [code for code, _ in case.told]
    assert sorted({(each.line, each.column) for each in problems}) == sorted(set(marks))
    for problem, (_, cure) in zip(problems, case.told, strict=True):
        assert problem.cure.replace(str(tmp_path), "").startswith(cure)


@pytest.mark.parametrize("frame", ["expression", "field"])
def test_none_of_them_hides_another(tmp_path: Path, frame: str) -> None:
    chosen = [case for case in CASES if case.frame == frame]
    text, wanted = FIELDS, Counter[tuple[str, int, int]]()
    for number, case in enumerate(chosen):
        before = text.count("\n")
        piece, marks = places(framed(case, f"F{number}"))
        text += piece
        codes = [code for code, _ in case.told]
        at = [marks[0]] * len(codes) if len(set(marks)) == 1 else marks
        wanted.update((code, before + line, column) for code, (line, column) in zip(codes, at, strict=False))
    found = Counter((each.code, each.line, each.column) for each in found_in(tmp_path, text, config=False))
    assert wanted - found == Counter()


@pytest.mark.parametrize("case", [case for case in CASES if case.frame == "config"], ids=str)
def test_none_in_the_configuration_hides_one_in_a_mapping_file(tmp_path: Path, case: Mistaken) -> None:
    if "mapping" in case.text:
        pytest.skip("it names other mapping files")
    text, _ = places(whole(case))
    problems = found_in(tmp_path, text, config=True, mapping=GOOD.replace("bid}", "rund(bid)}"))
    assert [(each.line, each.column) for each in problems if each.code == "M120"] == [(2, 41)]


def test_there_are_three_hundred() -> None:
    assert len(CASES) >= 300


EXAMPLE = (ROOT / "config" / "mappings" / "fx-spot.yaml").read_text()
STRIDE = int(os.environ.get("MISTAKEN_STRIDE", "41"))
"""Of so many characters one is taken out, and one is put in before it. 1 takes minutes."""
PUT_IN = "'\"{}[]:,-# \t@&*|x"


def slips() -> Iterator[tuple[str, int]]:
    lines = EXAMPLE.split("\n")
    for at in range(0, len(EXAMPLE), STRIDE):
        line = EXAMPLE.count("\n", 0, at) + 1
        if not lines[line - 1].lstrip().startswith("#"):
            yield EXAMPLE[:at] + EXAMPLE[at + 1 :], line
            yield EXAMPLE[:at] + PUT_IN[at % len(PUT_IN)] + EXAMPLE[at:], line


def around(line: int) -> set[int]:
    """The line, those beside it, and the openings of what it stands in."""
    lines = EXAMPLE.split("\n")
    found, least = {line - 1, line, line + 1}, 99
    for number in range(line, 0, -1):
        text = lines[number - 1].lstrip()
        indent = len(lines[number - 1]) - len(text)
        if text and not text.startswith("#") and indent < least:
            found.add(number)
            least = indent
    return found


def test_any_slip_of_one_character_is_told_where_it_is_or_is_none(tmp_path: Path) -> None:
    for text, line in slips():
        problems = found_in(tmp_path, text, config=False)
        near = around(line)
        assert all(each.code and each.cure for each in problems), problems
        grammar = [each for each in problems if each.code.startswith("Y") and each.code != "Y143"]
        assert all(each.line in near for each in grammar), (line, [*map(str, problems)])
        assert "Y199" not in {each.code for each in problems}, (line, [*map(str, problems)])
