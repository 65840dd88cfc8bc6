"""What samples hold, path by path: the values that are neither object nor list, and which samples have them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any, Final

from contribd.mapping.expression import compile_expression
from contribd.mapping.mistakes import RAISED, ExpressionError
from contribd.mapping.numbers import CONTEXT

Path = tuple[str, ...]

MOST_LEAVES: Final = 300
"""Paths that are looked at: a record of prices has a few dozen."""
DEEPEST: Final = 6
"""Objects within objects that are looked into."""

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_SHOWN: Final = 40


@dataclass(slots=True)
class Leaf:
    """One path of the samples. ``values``: those of the samples that have it."""

    path: Path
    samples: int
    values: list[Any] = field(default_factory=list)
    source: str = ""
    """How expressions name it; empty where none can."""

    @property
    def everywhere(self) -> bool:
        """Whether every sample has it."""
        return len(self.values) == self.samples

    @property
    def given(self) -> list[Any]:
        """The values that are not null."""
        return [value for value in self.values if value is not None]

    @property
    def kinds(self) -> frozenset[str]:
        """What its values are, null aside."""
        return frozenset(kind_of(value) for value in self.given)

    @property
    def shown(self) -> str:
        """Its path, for people."""
        return self.source or ascii_text(".".join(self.path))


def leaves_of(records: Sequence[dict[str, Any]]) -> list[Leaf]:
    """Every path, in the order in which they are first seen; at most ``MOST_LEAVES``."""
    found: dict[Path, Leaf] = {}
    for record in records:
        for path, value in _walk(record, ()):
            if path not in found and len(found) == MOST_LEAVES:
                continue
            found.setdefault(path, Leaf(path, len(records))).values.append(value)
    for leaf in found.values():
        leaf.source = _source(leaf.path, records)
    return [leaf for leaf in found.values() if not _is_inner(leaf)]


def kind_of(value: object) -> str:
    """The kind of a value of a record."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | Decimal):
        return "a number"
    return {str: "text", list: "a list", dict: "an object", type(None): "null"}[type(value)]


def ascii_text(text: str) -> str:
    """As a comment can hold it: printable ASCII, cut off where it is long."""
    plain = json.dumps(text)[1:-1].replace("\x7f", "\\u007f").replace('\\"', '"')
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 3] + "..."


def _walk(value: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    for key, inner in value.items():
        yield (*path, key), inner
        if isinstance(inner, dict) and len(path) + 1 < DEEPEST:
            yield from _walk(inner, (*path, key))


def _is_inner(leaf: Leaf) -> bool:
    """Whether it is an object in every sample that has it: what matters is within."""
    return (
        bool(leaf.values)
        and all(isinstance(value, dict) and value for value in leaf.values)
        and len(leaf.path) < DEEPEST
    )


def _source(path: Path, records: Sequence[dict[str, Any]]) -> str:
    """The shortest way to write the path that gives what stands there."""
    for source in (_dotted(path), _bracketed(path)):
        try:
            expression = compile_expression(source)
        except ExpressionError:
            continue
        with localcontext(CONTEXT):
            if all(_reads(expression.run, record, path) for record in records):
                return source
    return ""


def _reads(run: Any, record: dict[str, Any], path: Path) -> bool:
    expected: Any = record
    for key in path:
        if not isinstance(expected, dict) or key not in expected:
            return True
        expected = expected[key]
    try:
        return run(record) is expected
    except RAISED:
        return False


def _dotted(path: Path) -> str:
    return "".join(_step(key, first=at == 0) for at, key in enumerate(path))


def _step(key: str, *, first: bool) -> str:
    if not _PLAIN.match(key) or (first and key in {"item", "index"}):
        return f"[{json.dumps(key)}]"
    return key if first else f".{key}"


def _bracketed(path: Path) -> str:
    return "".join(f"[{json.dumps(key)}]" for key in path)
