"""Whatever documents, docstrings and comments refer to exists: files, headings, tests, targets, commands, modules."""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.main import get_command

from contribd.cli import app

ROOT = Path(__file__).parents[1]
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").rglob("*.md"))]
CODE = [path for part in ("daemon", "tests") for path in sorted((ROOT / part).rglob("*.py"))]

NOT_OURS = {".git", ".venv", "build", "dist", "__pycache__", "node_modules", "target"}
"""Folders of what is built or downloaded."""

EXAMPLES = {"contribd.yaml", "mappings/fx.yaml", "records.jsonl", "build/bench/performance.json"}
"""Files that a reader writes, and one that a command makes."""

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
QUOTED = re.compile(r"(`+)(.+?)\1", re.DOTALL)
FILE = re.compile(r"(?P<path>[\w@*-][\w./@*-]*\.(?:py|md|ya?ml|toml|jsonl?|svg|txt|xml|java))(?P<names>(?:::\w+)*)$")
FOLDER = re.compile(r"[\w-][\w./-]*/$")
MODULE = re.compile(r"(?:contribd|tests)(?:\.\w+)+$(?<!\.service)")
RUN = re.compile(r"\bpython3? (?:-m ((?:contribd|tests)(?:\.\w+)*)|(\w\S*\.py)\b)")
FENCE = re.compile(r"^```.*?^```[^\n]*$", re.DOTALL | re.MULTILINE)


class Passage(NamedTuple):
    """Text that refers to things. ``place`` is the file it is in."""

    place: Path
    line: int
    text: str


# What is there


@cache
def files() -> frozenset[str]:
    """Every file, relative to the root."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return frozenset(str(path) for path in found if not NOT_OURS & set(path.parts))


@cache
def targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def commands() -> Any:
    return get_command(app)


@cache
def anchors(document: Path) -> frozenset[str]:
    """Of each heading, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@cache
def defined(path: Path) -> frozenset[str]:
    """Classes, functions and constants of a module; what is inside a class as ``Class::name`` as well as by itself."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        names = set(_names(node))
        inner = {name for part in getattr(node, "body", []) for name in _names(part)} if names else set()
        found |= names | inner | {f"{name}::{each}" for name in names for each in inner}
    return frozenset(found)


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target.id


def find(reference: str, place: Path) -> Path | None:
    """Beside the text that names it, from where paths begin, or the one file there is whose path ends so."""
    for base in (place.parent, ROOT, ROOT / "daemon" / "contribd", ROOT / "docs", ROOT / "tests"):
        if (base / reference).exists():
            return base / reference
    ending = [name for name in files() if fnmatch("/" + name, "*/" + reference)]
    return ROOT / ending[0] if len(ending) == 1 or (ending and "*" in reference) else None


def module_exists(name: str) -> bool:
    """A package, a module, or what one of these defines."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath("daemon" if parts[0] == "contribd" else "", *parts[:length])
        rest = "::".join(parts[length:])
        if path.is_dir() and not rest:
            return True
        if (module := path.with_suffix(".py")).is_file():
            return not rest or rest in defined(module)
    return False


# What is referred to


def broken_links(passage: Passage) -> Iterator[str]:
    for target in LINK.findall(passage.text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = passage.place.parent / path if path else passage.place
        if not there.exists():
            yield f"no such file: {target}"
        elif anchor and anchor not in anchors(there):
            yield f"no such heading: {target}"


def broken_path(words: str, place: Path) -> Iterator[str]:
    if FOLDER.match(words) and find(words, place) is None:
        yield f"no such folder: {words}"
    if (found := FILE.match(words)) is None or found["path"] in EXAMPLES:
        return
    if (path := find(found["path"], place)) is None:
        yield f"no such file: {words}"
    elif found["names"] and found["names"][2:] not in defined(path):
        yield f"no such name: {words}"


def broken_target(words: str) -> Iterator[str]:
    if words.split(maxsplit=1)[0] == "make":
        said = words.partition("#")[0].split()[1:]
        yield from (f"no such target: {words}" for word in said if re.match("[a-z]", word) and word not in targets())


def broken_command(words: str) -> Iterator[str]:
    said, at = words.split(), commands()
    if said[0] != "contribd":
        return
    for word in said[1:]:
        if not hasattr(at, "get_command") or not re.match(r"\w", word):
            return
        if (at := at.get_command(None, word)) is None:
            yield f"no such command: {words}"
            return


def broken_module(words: str) -> Iterator[str]:
    if MODULE.match(words) and not FILE.match(words) and not module_exists(words):
        yield f"no such module: {words}"


def broken_runs(text: str) -> Iterator[str]:
    for module, file in RUN.findall(text):
        if not (module_exists(module) if module else (ROOT / file).is_file()):
            yield f"no such program: {module or file}"


def quoted(text: str) -> Iterator[str]:
    """What stands in backticks, each paragraph by itself: one that is left open spoils no other."""
    for paragraph in re.split(r"\n\s*\n", text):
        yield from (" ".join(words.split()) for _, words in QUOTED.findall(paragraph))


def code_lines(text: str) -> Iterator[str]:
    """Lines of blocks of code: fenced, or indented."""
    for block in FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    yield from (line for line in FENCE.sub("", text).splitlines() if line.startswith("    "))


def broken(passage: Passage) -> list[str]:
    """Everything in a text that is not there."""
    prose = FENCE.sub("", passage.text)
    found = list(broken_runs(passage.text))
    if passage.place.suffix == ".md":
        found += broken_links(passage._replace(text=prose))
    for words in filter(None, quoted(prose)):
        found += [*broken_path(words, passage.place), *broken_module(words)]
        found += [*broken_target(words), *broken_command(words)]
    for line in filter(None, map(str.strip, code_lines(passage.text))):
        found += [*broken_target(line), *broken_command(line)]
    return found


# Where


def passages(path: Path) -> Iterator[Passage]:
    """The docstrings and comments of a module: adjacent lines of comments are one text."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield Passage(path, node.lineno, inspect.cleandoc(node.value.value))
    last, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != last + 1:
                yield Passage(path, last, "\n".join(lines))
                lines = []
            last = token.start[0]
            lines.append(token.string.lstrip("#: "))
    if lines:
        yield Passage(path, last, "\n".join(lines))


def told(passages: Iterable[Passage]) -> list[str]:
    """What is broken, with its file and line."""
    return [
        f"{passage.place.relative_to(ROOT)}:{line_of(what, passage)}: {what}"
        for passage in passages
        for what in broken(passage)
    ]


def line_of(what: str, passage: Passage) -> int:
    words = what.partition(": ")[2]
    at = max(passage.text.find("`" + words), 0) or max(passage.text.find(words), 0)
    return passage.line + passage.text.count("\n", 0, at)


def test_documents_refer_to_what_there_is() -> None:
    assert told(Passage(path, 1, path.read_text()) for path in DOCUMENTS) == []


def test_docstrings_and_comments_refer_to_what_there_is() -> None:
    assert told(passage for path in CODE for passage in passages(path)) == []


# The scanner itself


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](nowhere.md)", "no such file: nowhere.md"),
        ("![a](nowhere.svg)", "no such file: nowhere.svg"),
        ("[a](session.md#nothing)", "no such heading: session.md#nothing"),
        ("[a](#nothing)", "no such heading: #nothing"),
        ("`engine/nothing.py`", "no such file: engine/nothing.py"),
        ("see ``test_nothing.py``", "no such file: test_nothing.py"),
        ("`nothing.toml`", "no such file: nothing.toml"),
        ("`tests/nothing_*.py`", "no such file: tests/nothing_*.py"),
        ("`nothing/`", "no such folder: nothing/"),
        ("`engine/engine.py::nothing`", "no such name: engine/engine.py::nothing"),
        ("`worker.py::Worker::nothing`", "no such name: worker.py::Worker::nothing"),
        ("`make nothing`", "no such target: make nothing"),
        ("`make check nothing`", "no such target: make check nothing"),
        ("    make nothing", "no such target: make nothing"),
        ("```\nmake nothing  # what it does\n```", "no such target: make nothing  # what it does"),
        ("`contribd nothing`", "no such command: contribd nothing"),
        ("`contribd\n  nothing`", "no such command: contribd nothing"),
        ("`contribd simulate nothing`", "no such command: contribd simulate nothing"),
        ("    contribd nothing --help", "no such command: contribd nothing --help"),
        ("`contribd.engine.nothing`", "no such module: contribd.engine.nothing"),
        ("``contribd.worker.Nothing``", "no such module: contribd.worker.Nothing"),
        ("`tests.nothing`", "no such module: tests.nothing"),
        ("    python -m tests.nothing --seeds 5", "no such program: tests.nothing"),
        ("`python tests/nothing.py`", "no such program: tests/nothing.py"),
    ],
)
def test_what_is_not_there_is_found(text: str, found: str) -> None:
    assert broken(Passage(ROOT / "docs" / "session.md", 1, text)) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "[a](session.md), [a](session.md#tokens), [a](#tokens), [a](../README.md), [a](https://example.com/nowhere.md)",
        "`engine/engine.py`, `session.md`, `test_references.py`, `pyproject.toml`, `config/contribd.yaml`",
        "`tests/test_*.py`, `config/mappings/*.yaml`, `tests/`, `engine/`, `/etc/nothing.yaml`, `mappings/*.yaml`",
        "`worker.py::Worker`, `worker.py::Worker::run`, `loop.py::DRAIN_MARGIN`, `loop.py::round`",
        "`make`, `make check`, `make simulate SEEDS=10 START=…`, `make PYTHON=python3.12 ...`",
        "`contribd`, `contribd run`, `contribd --help`, `contribd simulate ads`, `contribd map < records.jsonl`",
        "`contribd.engine.engine`, `contribd.engine`, `contribd.worker.Worker`, `contribd.worker.Worker.run`",
        "    python -m tests.bench growth\n    contribd check --connect\n    make demo",
        "one that makes nothing, and contribd nothing either; contribd.nothing",
    ],
)
def test_what_is_there_is_not_complained_of(text: str) -> None:
    assert broken(Passage(ROOT / "docs" / "session.md", 1, text)) == []


def test_docstrings_and_comments_are_all_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""Of the module."""\n\nX = 1\n"""Of a constant."""\n\n\n# A comment\n# of two lines.\ndef f() -> None:\n'
        '    """Of a function."""\n    g()  # behind code\n'
    )
    assert [(passage.line, passage.text) for passage in passages(module)] == [
        (1, "Of the module."),
        (4, "Of a constant."),
        (10, "Of a function."),
        (8, "A comment\nof two lines."),
        (11, "behind code"),
    ]
