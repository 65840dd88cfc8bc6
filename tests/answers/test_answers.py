"""Known answers: which entry explains which answer, and what a file of the site may say."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.answers.answers_page import PAGE, page, title

from contribd.answers import table
from contribd.answers.table import Answers, Hint, KnownAnswer
from contribd.config.answers import shipped
from contribd.config.errors import ConfigError
from contribd.config.load import Loaded, inspect, load
from contribd.omm.numbers import NAK_CODES

SEEN = [
    ("DeniedBySrc", "[500]: Unknown Item", "[500]"),
    ("DeniedBySrc", "[502]: Unknown Fid", "[502]"),
    ("132", "[900]: Service Denied", "[900]"),
    ("SymbolUnknown", "F44: Unable to find item on post update.", "F44"),
    ("DeniedBySrc", "Unable to find service for post message.", "Unable to find service"),
    ("SourceDown", "A9: Service is unavailable.", "A9"),
    (None, "unexpected fid", "unexpected fid"),
]
"""Answers that servers were seen to give, and a part of the text of the entry that explains each."""

ENTRY = {"meaning": "m", "cause": "c", "owner": "o", "cure": "d"}


def known(code: str | None, text: str | None, meaning: str) -> KnownAnswer:
    return KnownAnswer(code, text, Hint(meaning, "", "", ""))


def meaning(answers: Answers, code: str | None, text: str | None) -> str | None:
    hint = answers.explain(code, text)
    return None if hint is None else hint.meaning


def site(folder: Path, answers: Any, text: str | None = None) -> Path:
    """A configuration that names a file of answers of the site."""
    (folder / "mappings").mkdir()
    (folder / "mappings" / "m.yaml").write_text("mappings: [{name: m, ric: R, fields: {BID: bid}}]\n")
    (folder / "site.yaml").write_text(yaml.safe_dump({"answers": answers}) if text is None else text)
    file = folder / "contribd.yaml"
    file.write_text(
        "kafka: {bootstrap_servers: 'k:1'}\nads: {endpoints: ['ws://a:1/W'], service: S}\nanswers: site.yaml\n"
    )
    return file


def loaded(folder: Path, *answers: Any) -> Loaded:
    return load(site(folder, list(answers)), environ={})


def test_the_first_entry_that_fits_explains() -> None:
    answers = Answers([known("NotOpen", "later", "1"), known("NotOpen", None, "2"), known(None, "GONE", "3")])
    assert meaning(answers, "NotOpen", "try LATER") == "1"
    assert meaning(answers, "NotOpen", None) == "2"
    assert meaning(answers, None, "it is gone.") == "3"
    assert meaning(answers, "SourceDown", "") is None


def test_texts_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_REMEMBERED", 10)
    answers = Answers([known(None, "x", "1")])
    assert [meaning(answers, None, f"x{number}") for number in range(25)] == ["1"] * 25
    assert len(answers._remembered) <= 10


@pytest.mark.parametrize(("code", "text", "part"), SEEN)
def test_an_answer_that_was_seen_is_explained_by_its_text(code: str | None, text: str, part: str) -> None:
    hint = shipped().explain(code, text)
    [expected] = [entry.hint for entry in shipped().entries if entry.text and part in entry.text]
    assert hint == expected


def test_every_nak_code_that_has_a_name_is_explained() -> None:
    assert [code for code in NAK_CODES.values() if shipped().explain(code, "no such text") is None] == []
    assert shipped().explain("199", "no such text") is None
    assert shipped().explain(None, "no such text") is None


def test_no_entry_of_ours_hides_another(tmp_path: Path) -> None:
    text = (Path(table.__file__).parent / "known.yaml").read_text()
    assert inspect(site(tmp_path, None, text), environ={}).problems == []


def test_the_page_is_made_of_the_table() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.answers.answers_page"
    assert len({title(entry) for entry in shipped().entries}) == len(shipped().entries)


def test_a_site_s_own_entries_come_first(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"code": "NotOpen", **ENTRY}, {"code": 132, "text": "[901]", **ENTRY})
    assert found.answers.explain("NotOpen", "x") == Hint("m", "c", "o", "d")
    assert found.answers.explain("132", "[901]: new") == Hint("m", "c", "o", "d")
    assert found.answers.explain("132", "[900]: Service Denied") == shipped().explain("132", "[900]: Service Denied")
    assert found.files[-1] == tmp_path / "site.yaml"


def test_what_answers_mean_has_no_part_in_the_rules(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(loaded(tmp_path / name, {"code": "NotOpen", **ENTRY, "meaning": name}))
    assert found[0].digest == found[1].digest
    assert not [path for path in found[0].rules.files.texts if path.endswith("site.yaml")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("answers:\n- {code: NotOpn, meaning: m, cause: c, owner: o, cure: d}\n", "site.yaml:2:10: answers[0].code"),
        ("answers:\n- {meaning: m, cause: c, owner: o, cure: d}\n", "site.yaml:2:3: answers[0]: expected code, text"),
        ("answers:\n- {code: NotOpen, meaning: m, cause: c, owner: o}\n", "answers[0].cure: is missing (what they do)"),
        ("answers:\n- {code: NotOpen, mening: m, cause: c, owner: o, cure: d}\n", "did you mean meaning?"),
        ("answers: []\n", "site.yaml:1:10: answers"),
        ("", "site.yaml:1:1: the file is empty"),
        ("answers: [\n", "site.yaml:1:"),
        ("- x\n", "site.yaml:1:1"),
        (
            "answers:\n- &o {text: a, meaning: m, cause: c, owner: o, cure: d}\n- {<<: *o, code: NotOpen, text: bA}\n",
            "site.yaml:3:3: answers[1]: never tried: answers[0] fits every answer that this one is about",
        ),
    ],
)
def test_a_mistake_in_it_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(site(tmp_path, None, text), environ={})
    assert told in str(raised.value)
    assert all(problem.cure for problem in raised.value.problems), raised.value.problems


def test_a_file_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    file = site(tmp_path, [{"code": "NotOpen", **ENTRY}])
    (tmp_path / "site.yaml").unlink()
    with pytest.raises(ConfigError) as raised:
        load(file, environ={})
    [problem] = raised.value.problems
    assert str(problem).startswith(f"{file}:3:10: answers: ")
    assert inspect(file, environ={}, lenient=True).problems == []
