"""Commands in the documents: each is one that there is, with options and arguments that it takes.

Those of contribd are parsed by contribd itself. Those that need nothing else are also run, in a folder with what
``contribd init`` writes and the other files that the documents speak of.
"""

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from tests.docs.blocks import ROOT
from typer.main import get_command
from typer.testing import CliRunner

from contribd.cli import app
from contribd.cli.init import starting_files

PROGRAMS: Final = {
    "apt",
    "awk",
    "cat",
    "cd",
    "chmod",
    "curl",
    "dnf",
    "echo",
    "grep",
    "head",
    "install",
    "install.sh",
    "kill",
    "ls",
    "man",
    "mkdir",
    "openssl",
    "sed",
    "sleep",
    "sudo",
    "tail",
    "tar",
    "keytool",
}
"""What every host has, or is not ours to check."""

KAFKA_TOOLS: Final = {"kafka-acls.sh", "kafka-configs.sh", "kafka-console-consumer.sh", "kafka-console-producer.sh",
                      "kafka-consumer-groups.sh", "kafka-topics.sh"}  # fmt: skip
RUN: Final = {"init", "check", "test", "map", "schema"}
"""Commands that need neither Kafka nor a daemon,"""
NOT_RUN: Final = {"--sample", "--from-kafka", "--connect", "--offset", "--watch", "--help"}
"""but with these options."""


def commands_of(line: str) -> Iterator[list[str]]:
    """The simple commands of a line, between ``&&``, ``|`` and ``;``, without redirections and assignments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    redirected = False
    for word in [*lexer, ";"]:
        if word in {";", "&&", "||", "|", "&"}:
            if words:
                yield words
            words = []
        elif word in {">", ">>", "<", "2>", ">&"}:
            redirected = True
        elif redirected:
            redirected = False
        elif words or not re.fullmatch(r"[A-Z_]+=.*", word):
            words.append(word)


def lines_of(text: str) -> list[str]:
    """Lines that are commands: without comments and blank ones, those that go on joined."""
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def problems_of(text: str) -> list[str]:
    """Of a block of commands."""
    return [problem for line in lines_of(text) for problem in problems_of_line(line)]


def problems_of_line(line: str) -> list[str]:
    """Of one line."""
    try:
        return [text for words in commands_of(line) if (text := problem_of(words))]
    except ValueError as error:
        return [f"{line}: {error}"]


def problem_of(words: list[str]) -> str | None:
    """Of one command; None where it can be given so."""
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program == "sudo":
        return problem_of(rest)
    if program == "contribd" or words[:3] == ["python", "-m", "contribd"]:
        return _of_contribd(rest if program == "contribd" else words[3:])
    judge = {"make": _of_make, "systemctl": _of_units, "journalctl": _of_units, "pip": _of_pip, "python": _of_python,
             "python3": _of_python, "export": _of_export}.get(program)  # fmt: skip
    if judge is not None:
        return judge(rest)
    return None if program in PROGRAMS | KAFKA_TOOLS else f"no such program: {program}"


def _of_contribd(arguments: list[str]) -> str | None:
    """As the command line itself would take it."""
    at, name = _commands(), "contribd"
    while hasattr(at, "get_command") and arguments and not re.match(r"-|[A-Z]+$", arguments[0]):
        name, *arguments = arguments
        if (at := at.get_command(None, name)) is None:
            return f"no such command: {name}"
    try:
        at.make_context(name, list(arguments)).close()
    except Exception as error:  # noqa: BLE001 - Exit where it is --help; every other says what is wrong
        text = str(error.format_message() if hasattr(error, "format_message") else "")
        not_there = re.search("does not exist|is not a file", text)  # a file of the reader's
        return f"contribd {name} {' '.join(arguments)}: {text}" if text and not not_there else None
    return None


@cache
def _commands() -> Any:
    return get_command(app)


def _of_make(words: list[str]) -> str | None:
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        variable, equals, _ = word.partition("=")
        pattern = rf"^{variable} [?:]?=" if equals else rf"^{word}:"
        if re.search(pattern, makefile, re.MULTILINE) is None and variable != "DESTDIR":
            return f"no such target or variable of make: {word}"
    return None


def _of_units(words: list[str]) -> str | None:
    """What is asked of systemd is asked of a unit of ours."""
    units = {path.name for path in (ROOT / "systemd").iterdir()}
    options = {"-u", "-f", "-n", "enable", "disable", "daemon-reload", "edit", "start", "stop", "status", "reload",
               "restart", "cat", "--now", "-e", "-p", "--since"}  # fmt: skip
    for word in words:
        unit = re.sub(r"@\w+", "@", word)
        if word not in options and not {unit, f"{unit}.service"} & units and not word.isdigit():
            return f"no such unit or word of systemd: {word}"
    return None


def _of_pip(words: list[str]) -> str | None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in words:
        found = re.search(r"\[([\w,]+)\]", word)
        if found is not None and not set(found[1].split(",")) <= extras.keys():
            return f"no such extra: {word}"
    return None


def _of_python(words: list[str]) -> str | None:
    if words[:1] != ["-m"]:
        return None
    path = ROOT / words[1].replace(".", "/")
    known = words[1] in {"venv", "pip"} or path.is_dir() or path.with_suffix(".py").is_file()
    return None if known else f"no such module: {words[1]}"


def _of_export(words: list[str]) -> str | None:
    return None if all("=" in word for word in words) else "export NAME=value"


# Run


class Place:
    """A folder with the files that the documents speak of, and commands run in it, in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.ran = 0
        monkeypatch.chdir(folder)
        monkeypatch.setenv("CONTRIBD_CONFIG", "contribd.yaml")
        for name, text in starting_files().items():
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(text)
        shutil.copy("contribd.yaml", "new.yaml")
        Path("config").symlink_to(ROOT / "config")

    def run(self, text: str) -> list[str]:
        """Runs what can be run of a block; what did not end as it should."""
        here = Path.cwd()
        failed = [told for line in lines_of(text) for words in commands_of(line) if (told := self._run(words))]
        self._monkeypatch.chdir(here)
        return failed

    def _run(self, words: list[str]) -> str | None:
        if words[0] == "cd" and Path(words[1]).is_dir():
            self._monkeypatch.chdir(words[1])
        elif words[0] == "export" and words[1].startswith("CONTRIBD_CONFIG="):
            self._monkeypatch.setenv("CONTRIBD_CONFIG", words[1].partition("=")[2])
        elif words[0] == "contribd" and words[1] in RUN and not NOT_RUN & set(words):
            return self._run_contribd([self._there(word) for word in words[1:]])
        return None

    @staticmethod
    def _there(word: str) -> str:
        """Files of the reader are those of ours."""
        word = word.removeprefix("/etc/contribd/")
        return "mappings/quotes.yaml" if word.startswith("mappings/") else word

    def _run_contribd(self, arguments: list[str]) -> str | None:
        self.ran += 1
        done = CliRunner().invoke(app, arguments)
        # Samples hold records that are rejected, and tests need not try all that there is.
        may_fail = arguments[0] == "map" or "--fail-under" in arguments
        if done.exit_code in ({0, 1} if may_fail else {0}) and (done.stdout or done.stderr):
            return None
        return f"contribd {' '.join(arguments)} ended with {done.exit_code}: {done.output}"
