"""Names that a mapping file gives itself: those of its tables, and of what its mappings compute with ``let``."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from contribd.mapping.expression import Expression
from contribd.mapping.functions import FUNCTIONS
from contribd.mapping.lexer import KEYWORDS
from contribd.mapping.scope import ELEMENT, INDEX, ITEM
from contribd.mapping.syntax import Path, path_text, walk_tree

_NAME = re.compile(r"[^\W\d]\w*")


def unfit_name(name: str, what: str) -> str | None:
    """Why an expression could not name ``what`` so; None where it could."""
    if not _NAME.fullmatch(name):
        return f"a {what}'s name is letters, digits and _, and begins with no digit"
    if name in KEYWORDS or name == ITEM.name:
        return f"{name} is a word of the language"
    return f"{name} is a function" if name in FUNCTIONS else None


OF_A_LIST: Final[Mapping[object, str]] = {
    ITEM: "the element of a list",
    ELEMENT: "the element of a list",
    INDEX: "the element's position",
}
"""What ``item`` and ``index`` stand for."""


def given_names(expressions: Iterable[Expression]) -> dict[str, str]:
    """The tables that expressions look into, and ``item`` and ``index`` where one names them, with what each is."""
    given: dict[str, str] = {}
    for expression in expressions:
        given |= dict.fromkeys(expression.tables, "a table")
        for node in walk_tree(expression.node):
            if isinstance(node, Path) and (place := node.keys[0]) in OF_A_LIST:
                given[path_text((place,))] = OF_A_LIST[place]
    return given


class Use(NamedTuple):
    """A name at the beginning of a path, and where it stands in the text."""

    name: str
    at: int


def uses(expression: Expression, names: Collection[str]) -> Iterator[Use]:
    """Where ``expression`` reads a key of the record that has one of these names."""
    for node in walk_tree(expression.node):
        if isinstance(node, Path) and isinstance(node.keys[0], str) and node.keys[0] in names:
            yield Use(node.keys[0], expression.at + node.at)
