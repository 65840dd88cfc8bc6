"""docs/commands.md is what the command line makes of it, and names every way to end."""

import re
from pathlib import Path

from tests.cli.commands_page import EXITS, PAGE, page

from contribd import cli


def test_the_page_is_as_made() -> None:
    assert PAGE.read_text() == page(), "python -m tests.cli.commands_page makes it anew"


def test_every_exit_code_of_the_code_is_explained() -> None:
    assert {name for name in vars(cli) if name.startswith("EXIT_")} == EXITS.keys()


def test_every_command_and_option_is_there() -> None:
    text = PAGE.read_text()
    for name in cli.COMMANDS:
        assert f"\n## contribd {name}\n" in text
    for option in ("--connect", "--fail-under", "--until", "--steps", "--dry-run", "--trust", "--cut-every"):
        assert f"- `{option}" in text


def test_the_exit_codes_of_the_daemon_are_told_as_the_units_take_them() -> None:
    root = Path(__file__).parents[2]
    table = (root / "docs" / "operations.md").read_text().partition("| exit code | means |")[2].partition("\n\n")[0]
    rows = {int(row.split("|")[1]): row.rstrip("| ").rpartition("| ")[2] for row in table.splitlines()[2:]}
    assert rows.keys() == {cli.EXIT_OK, cli.EXIT_FAILED, cli.EXIT_USAGE, cli.EXIT_CONFIG}
    for unit in ("contribd.service", "contribd@.service"):
        found = re.search(r"^RestartPreventExitStatus=(.*)$", (root / "systemd" / unit).read_text(), re.MULTILINE)
        assert found is not None
        assert {code for code, again in rows.items() if again == "no"} == {0, *map(int, found[1].split())}
