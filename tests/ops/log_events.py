"""Every line that the daemon can log, found in its source: text, level, part, and the names of its facts.

What a text holds that is not fixed stands as ``…``. A text that is a name is looked up: in the function, in the module,
and, where it is a parameter, in the calls of that function.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2] / "daemon" / "contribd"
LEVELS: Final = ("debug", "info", "warning", "error", "exception")
ENGINE_PART: Final = "worker"
"""What the engine has to say, the worker writes down."""

_OUTSIDE: Final = ("simulation", "cli", "results")
"""What the daemon does not run."""

_LEVEL: Final = {"exception": "error"}


ELSEWHERE: Final = {
    ("streams/group/assignment.py", "OUT_OF_RANGE"): ("streams/group/start_offsets.py", "offset out of range"),
    ("streams/group/start_lines.py", "start.problem"): (
        "streams/group/start_rules.py",
        "the log ends before|records were deleted before",
    ),
    ("streams/group/strangers.py", "text"): ("streams/group/strangers.py", "consumer group … has a member"),
    ("worker.py", "str(stopped)"): ("worker.py", "another contribd runs as|the … thread ended"),
}
"""Texts that come from another place: the file that has them, and how they begin."""


class LogEvent(NamedTuple):
    """``where``: file and line of the call."""

    text: str
    level: str
    part: str
    fields: tuple[str, ...]
    where: str


class Unresolved(Exception):
    """A text that cannot be found: the call must be written so that it can be."""


@cache
def log_events() -> list[LogEvent]:
    """All of them, by text."""
    found: list[LogEvent] = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT)
        if name.parts[0] not in _OUTSIDE:
            found += _Module(str(name), ast.parse(path.read_text())).events()
    return sorted(set(found))


class _Module:
    """One file."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name, self._tree = name, tree
        self._constants = {
            target.id: value for node in tree.body for target, value in _assigned(node) if isinstance(target, ast.Name)
        }
        self._part = self._named_part()

    def _named_part(self) -> str:
        for value in self._constants.values():
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "get_logger":
                return str(ast.literal_eval(value.args[0]))
        return ENGINE_PART

    def events(self) -> Iterator[LogEvent]:
        """Every line that is written here."""
        for function in ast.walk(self._tree):
            if isinstance(function, ast.FunctionDef):
                own = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
                inner = {
                    call
                    for each in ast.walk(function)
                    if isinstance(each, ast.FunctionDef) and each is not function
                    for call in ast.walk(each)
                }
                for call in own:
                    if call not in inner:
                        yield from self._of_call(function, call)

    def _of_call(self, function: ast.FunctionDef, call: ast.Call) -> Iterator[LogEvent]:
        said = ast.unparse(call.func)
        if said in {f"{log}.{level}" for log in ("_log", "log") for level in LEVELS}:
            levels, text, part = {said.partition(".")[2]}, call.args[0], self._part
            part = "process" if said.startswith("log.") else part
        elif said == "self._log" and len(call.args) == 2:
            levels, text, part = self._texts(function, call.args[0]), call.args[1], ENGINE_PART
        else:
            return
        fields = tuple(self._fields(function, call))
        for level in sorted(levels):
            for each in sorted(self._texts(function, text)):
                yield LogEvent(each, _LEVEL.get(level, level), part, fields, f"{self._name}:{call.lineno}")

    def _fields(self, function: ast.FunctionDef, call: ast.Call) -> Iterator[str]:
        for keyword in call.keywords:
            if keyword.arg not in {None, "exc_info"}:
                yield str(keyword.arg)
            elif keyword.arg is None:
                yield from self._keys(function, keyword.value)

    def _keys(self, function: ast.FunctionDef, value: ast.expr) -> Iterator[str]:
        """Of what is handed on as ``**facts``, as far as it is written out."""
        if isinstance(value, ast.Call):
            (called,) = [
                node
                for node in ast.walk(self._tree)
                if isinstance(node, ast.FunctionDef) and node.name == ast.unparse(value.func).rpartition(".")[2]
            ]
            for node in ast.walk(called):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from self._keys(called, node.value)
        elif isinstance(value, ast.Dict):
            yield from (str(ast.literal_eval(key)) for key in value.keys if key is not None)
        elif isinstance(value, ast.IfExp):
            yield from self._keys(function, value.body)
            yield from self._keys(function, value.orelse)
        elif isinstance(value, ast.Name):
            for given in self._values(function, value.id):
                yield from self._keys(function, given)

    def _values(self, function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
        """What a name may stand for."""
        local = [value for node in ast.walk(function) for target, value in _assigned(node) if _is(target, name)]
        if local:
            yield from local
        elif name in self._constants:
            yield self._constants[name]
        else:
            yield from self._given(function, name)

    def _given(self, function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
        """What calls in this module hand on for a parameter."""
        positions = [argument.arg for argument in function.args.args if argument.arg != "self"]
        for call in ast.walk(self._tree):
            if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != function.name:
                continue
            yield from (keyword.value for keyword in call.keywords if keyword.arg == name)
            if name in positions and positions.index(name) < len(call.args):
                yield call.args[positions.index(name)]

    def _texts(self, function: ast.FunctionDef, node: ast.expr) -> set[str]:
        if isinstance(node, ast.Constant | ast.JoinedStr):
            return {_fixed(node)}
        if isinstance(node, ast.IfExp):
            return self._texts(function, node.body) | self._texts(function, node.orelse)
        if isinstance(node, ast.Name):
            found = {text for value in self._values(function, node.id) for text in self._texts(function, value)}
            if found:
                return found
        if place := ELSEWHERE.get((self._name, ast.unparse(node))):
            return _beginning(*place)
        raise Unresolved(f"{self._name}:{node.lineno}: {ast.unparse(node)}")


def _fixed(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def _beginning(name: str, beginnings: str) -> set[str]:
    """Texts of a file that begin so; each way to begin has one at least."""
    tree = ast.parse((ROOT / name).read_text())
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    texts = {
        _fixed(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in inside
    }
    found = {beginning: {text for text in texts if text.startswith(beginning)} for beginning in beginnings.split("|")}
    if not all(found.values()):
        raise Unresolved(f"{name}: no text begins with {' or '.join(each for each in found if not found[each])}")
    return {text for each in found.values() for text in each}


def _assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(target.elts, node.value.elts, strict=True)
            else:
                yield target, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value


def _is(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name
