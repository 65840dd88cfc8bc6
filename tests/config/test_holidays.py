"""Files of holidays, as mapping files name them."""

from pathlib import Path

import pytest

from contribd.config.mappings import MappingFiles, read_mapping_file
from contribd.mapping.codes import Code

MAPPING = """
defaults:
  publish: {hours: "00:00-24:00 UTC", holidays: days/uk.csv}
mappings:
  - {name: a, ric: A=, fields: {BID: bid}, when: a == 1}
  - name: b
    posts:
      - {ric: B=, fields: {BID: bid}}
      - {ric: C=, fields: {BID: bid}, publish: {holidays: null}}
"""
CHRISTMAS = 1_798_200_000_000_000  # 2026-12-25T12:00:00Z


def read(folder: Path, dates: str | None, mapping: str = MAPPING) -> MappingFiles:
    (folder / "days").mkdir(exist_ok=True)
    (folder / "m.yaml").write_text(mapping)
    if dates is not None:
        (folder / "days" / "uk.csv").write_text(dates)
    return read_mapping_file(folder / "m.yaml", "S")


def closed(files: MappingFiles) -> list[bool]:
    posts = [post for mapping in files.compiled for post in mapping.posts]
    rules = [post.publish for post in posts]
    return [each is not None and each.hours is not None and each.hours.outside(CHRISTMAS) is not None for each in rules]


def test_the_dates_of_a_file_are_holidays_of_the_posts_that_name_it(tmp_path: Path) -> None:
    found = read(tmp_path, '\ufeffdate,name\n# ours\n2026-12-25,Christmas\n"2027-01-01"\n\n')
    assert found.problems == []
    assert closed(found) == [True, True, False]
    assert found.below == [tmp_path / "days" / "uk.csv"]


def test_the_dates_are_part_of_what_the_digest_is_made_of(tmp_path: Path) -> None:
    one = read(tmp_path, "2026-12-25\n2027-01-01\n").data
    assert read(tmp_path, "# in another order\n2027-01-01\n2026-12-25\n").data == one
    assert read(tmp_path, "2026-12-25\n").data != one


@pytest.mark.parametrize("text", ["25.12.2026", "20261225", "2026-W52-5", "2026-02-30", "date\ndate"])
def test_what_is_no_date_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (problem,) = read(tmp_path, f"2026-12-24\n{text}\n" if text != "date\ndate" else text).problems
    assert (problem.code, problem.line) == (Code.HOLIDAYS, 2)
    assert problem.cure == "Write it as YYYY-MM-DD"


def test_a_file_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    problems = read(tmp_path, None).problems
    assert {(problem.code, problem.line, problem.path) for problem in problems} == {
        (Code.HOLIDAYS, 3, "defaults.publish.holidays")
    }
