"""Every block of code in the documents is executed, or held against what reads it; none is just text.

| block | |
|---|---|
| `yaml` | loaded as a configuration, mappings or known answers, its tests run (`yaml_blocks.py`) |
| `json` | a result, a record or a task, validated (`json_blocks.py`) |
| `sh` | parsed by the command line; run where that needs nothing else (`shell_blocks.py`) |
| `console` | a session: its commands are given, and what they print is compared, by the test of `SHOWN` |
| `text` | what a program prints or writes: compared by the test of `SHOWN` |
| `sql` | queries: run by the test of `SHOWN` |
| `ini` | a drop-in for the units, `vim`: settings for `check` |
| none | a drawing, or commands |
"""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.config.test_errors_page import EXAMPLE
from tests.docs import json_blocks, shell_blocks, yaml_blocks
from tests.docs.blocks import DOCS, PAGES, ROOT, Block, all_blocks, blocks_of

BLOCKS = all_blocks()
DRAWN = re.compile("[─-▿]")
"""What boxes and arrows are drawn with."""

SHOWN = {
    "README.md": "tests/docs/test_shown_answers.py",
    "docs/audit.md": "tests/audit/test_export_documentation.py",
    "docs/configuration.md": "tests/cli/test_configuration_documentation.py",
    "docs/from-a-script.md": "tests/docs/test_followed_pages.py",
    "docs/operations.md": "tests/docs/test_shown_answers.py",
    "docs/orders.md": "tests/docs/test_shown_answers.py",
    "docs/plan.md": "tests/cli/test_plan_documentation.py",
    "docs/reload.md": "tests/docs/test_shown_answers.py",
    "docs/testing.md": "tests/cli/test_testing_documentation.py",
    "docs/tutorial.md": "tests/docs/test_followed_pages.py",
}
"""What is printed on a page is compared with what this test makes the program print."""

NOT_CHECKED: dict[str, str] = {}
"""The place of a block that nothing can check, with the reason. Keep it empty."""


def judged(block: Block, folder: Path) -> list[str]:
    """What is wrong with a block."""
    if block.info is None:
        return ["indented: write it between fences, with its language"]
    judges: dict[str, Callable[[], list[str]]] = {
        "yaml": lambda: _example(block) if block.page.name == "errors.md" else yaml_blocks.problems_of(block, folder),
        "json": lambda: json_blocks.problems_of(block),
        "sh": lambda: shell_blocks.problems_of(block.text),
        "console": lambda: _shown(block),
        "text": lambda: _shown(block),
        "sql": lambda: _shown(block),
        "ini": lambda: _drop_in(block.text),
        "vim": lambda: _editor(block.text),
        "": lambda: [] if DRAWN.search(block.text) else shell_blocks.problems_of(block.text),
    }
    return judges.get(block.language, lambda: [f"nothing checks {block.language}"])()


def _example(block: Block) -> list[str]:
    """``tests/config/test_errors_page.py`` runs those that have the form of an example."""
    examples = [text for _, text, _, _ in EXAMPLE.findall(block.page.read_text())]
    return [] if block.text.rstrip("\n") in examples else ["no example of a number"]


def _shown(block: Block) -> list[str]:
    page = str(block.page.relative_to(ROOT))
    return [] if page in SHOWN else [f"no test of SHOWN compares what {page} shows"]


def _editor(text: str) -> list[str]:
    """The command that Vim is to run."""
    return shell_blocks.problems_of_line(text.partition("makeprg=")[2].split("\n")[0].replace("\\ ", " "))


def _drop_in(text: str) -> list[str]:
    """What it sets is what a unit of ours sets, or could: the unit says so in a comment."""
    units = "\n".join(path.read_text() for path in (ROOT / "systemd").iterdir())
    keys = [line.partition("=")[0] for line in text.splitlines() if "=" in line]
    known = {*re.findall(r"^#?(\w+)=", units, re.MULTILINE), "Group", "SupplementaryGroups"}
    return [f"no unit has {key}" for key in keys if key not in known]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_is_what_it_says(block: Block, tmp_path: Path) -> None:
    if block.place not in NOT_CHECKED:
        assert judged(block, tmp_path) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_need_nothing_else_are_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [block for block in blocks_of(page) if block.language in ("sh", "") and not DRAWN.search(block.text)]
    place = shell_blocks.Place(tmp_path, monkeypatch)
    assert [told for block in commands for told in place.run(block.text)] == []


def test_a_page_that_shows_output_is_read_by_its_test() -> None:
    assert {page for page, test in SHOWN.items() if Path(page).name not in (ROOT / test).read_text()} == set()
    showing = {block.page for block in BLOCKS if block.language in ("console", "text")}
    assert {ROOT / page for page in SHOWN} == showing


def test_there_are_blocks_of_every_kind() -> None:
    found = Counter(block.language for block in BLOCKS)
    assert found["yaml"] > 140
    assert min(found[language] for language in ("json", "sh", "console", "text", "ini", "")) > 2
    assert NOT_CHECKED.keys() <= {block.place for block in BLOCKS}


OPTION = re.compile(r"`(contribd [^`]*?--\w[^`]*)`")


def test_commands_in_sentences_have_the_options_that_they_name() -> None:
    wrong = []
    for page in PAGES:
        for words in OPTION.findall(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)):
            wrong += [
                f"{page.name}: {words}: {text}"
                for text in shell_blocks.problems_of_line(" ".join(words.split()).replace("…", "x"))
                if "No such option" in text or "no such command" in text
            ]
    assert wrong == []


@pytest.mark.parametrize(
    ("info", "text", "wrong"),
    [
        (None, "contribd check", "indented"),
        ("python", "print()", "nothing checks python"),
        ("sh", "contribd chekc", "no such command"),
        ("sh", "contribd check --conect", "No such option"),
        ("sh", "contribd results --status nak | frobnicate", "no such program"),
        ("sh", "make nothing", "no such target"),
        ("sh", "systemctl start contribt", "no such unit"),
        ("sh", "pip install 'contribd[seals]'", "no such extra"),
        ("yaml", "kafka: {bootstrap_server: x}", "unknown key"),
        ("yaml", "mappings: [{name: a, ric: X=, fields: {BID: rund(bid)}}]", "no function rund"),
        ("yaml", "tests: [{record: {bid: 1}, ignored: true}]\nmappings: [{name: a, ric: X=, fields: {BID: bid}}]", ""),
        ("yaml", "withdraw: [MID]", "MID"),
        ("yaml", "nothing: 1", "nobody can tell"),
        ("json", '{"source": null, "status": "NACK"}', ""),
        ("json", '{"bid": 1,}', ""),
        ("ini", "[Service]\nLoadCredentials=x", "no unit has"),
        ("text", "anything", "no test of SHOWN"),
    ],
)
def test_what_is_wrong_is_found(info: str | None, text: str, wrong: str, tmp_path: Path) -> None:
    block = Block(DOCS / "session.md", 1, info, text)
    try:
        found = judged(block, tmp_path)
    except ValueError as error:
        found = [str(error)]
    assert found
    assert wrong in " ".join(found)
