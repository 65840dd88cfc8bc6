"""The texts of one mapping, compiled one by one: where each stands, and what is wrong with it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final, TypeVar

from contribd.mapping.codes import Code
from contribd.mapping.compiled import DataPath, MappingProblem, Site
from contribd.mapping.expression import Expression, compile_expression
from contribd.mapping.given_names import Use, uses
from contribd.mapping.kind import Kind, words
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.scope import ELEMENT, INDEX, LetName, Place, Scope
from contribd.mapping.syntax import Key, Literal, Path, path_text, walk_tree
from contribd.mapping.template import Template
from contribd.mapping.written import short

COMPARE: Final = "Compare it with something, as in bid > 0"
_OF_EACH: Final = (ELEMENT.name, INDEX.name)
_T = TypeVar("_T")

NOTHING: Final = Expression("", Kind.ANY, Literal(0, None), (), frozenset(), lambda _record: None)
"""Stands in for an expression with a problem: it can give anything, so that nothing more is said about it."""


def _is_name(keys: tuple[Key, ...]) -> bool:
    return bool(keys) and isinstance(keys[0], str)


class MappingTexts:
    """Compiles what a mapping says, in the scope that it has come to. Problems are noted, and it goes on."""

    def __init__(self, name: str, path: DataPath, scope: Scope) -> None:
        """``path``: where the mapping stands in its file."""
        self._name = name
        self._path = path
        self.scope = scope
        self.problems: list[MappingProblem] = []
        self.without_effect: list[MappingProblem] = []
        """What the mapping could do without: it is whole all the same."""
        self.sites: list[Site] = []
        """Of all that the mapping computes."""
        self.names: set[str] = set()
        """What is read, as it is written: each path, and the name that it begins with."""
        self._roots: set[Key] = set()
        self.outside: list[tuple[Site, Use]] = []
        """Where ``item`` and ``index`` are keys of the record, since there is no element."""

    def below(self, *path: str | int) -> "MappingTexts":
        """Those of a part of the mapping, which sees what was seen so far; what it finds is the mapping's."""
        made = MappingTexts(self._name, (*self._path, *path), self.scope)
        made.problems, made.without_effect = self.problems, self.without_effect
        made.sites, made.outside = self.sites, self.outside
        made.names, made._roots = self.names, self._roots
        return made

    def element(self) -> None:
        """From here on ``item`` and ``index`` stand for an element and its position."""
        self.scope = replace(self.scope, element=True)

    def let(self, place: LetName) -> None:
        """From here on its name stands for what was computed."""
        self.scope = replace(self.scope, lets={**self.scope.lets, place.name: place})

    def post(self, names: frozenset[str]) -> None:
        """From here on ``@post`` has these fields."""
        self.scope = replace(self.scope, post=names)

    def last(self, names: frozenset[str] | None) -> None:
        """From here on ``@last`` has these fields; None: it stands for nothing."""
        self.scope = replace(self.scope, last=names)

    def problem(
        self, path: DataPath, text: str, offset: int = 0, *, key: bool = False, code: str = "", cure: str = ""
    ) -> None:
        """Something wrong at ``path`` in the mapping."""
        self.problems.append(MappingProblem(self._path + path, offset, text, key, code, cure))

    def problem_at(self, site: Site, at: int, text: str, *, code: str, cure: str) -> None:
        """Something wrong in an expression, ``at`` characters from where it begins."""
        place = MappingProblem(site.path, site.expression.at + at, text, site.in_key, code, cure)
        self.problems.append(place)

    @property
    def path(self) -> DataPath:
        """Where the mapping or the post stands in its file."""
        return self._path

    def no_effect(self, path: DataPath, text: str, code: str, cure: str, *, key: bool = False) -> None:
        """Something that the mapping could do without."""
        self.without_effect.append(MappingProblem(self._path + path, 0, text, key, code, cure))

    def expression(self, source: str, path: DataPath) -> Expression:
        """The expression at ``path``; a stand-in where it has a problem."""
        return self.compiled(compile_expression, source, path) or NOTHING

    def condition(self, source: str, path: DataPath) -> Expression:
        """The condition at ``path``."""
        expression = self.expression(source, path)
        if not expression.kind & Kind.BOOLEAN:
            text = f"a condition is true or false; this gives {words(expression.kind)}"
            self.problem(path, text, code=Code.CONDITION, cure=COMPARE)
        return expression

    def not_yet(self, expression: Expression, path: DataPath, names: Collection[str], text: str, cure: str) -> None:
        """Names that mean something else where ``expression`` stands: read there, they would be keys of the record."""
        for use in uses(expression, names):
            self.problem(path, f"{use.name} {text}", use.at, code=Code.LET_ORDER, cure=cure)

    def compiled(self, compiler: Callable[[str, Scope], _T], source: str, path: DataPath) -> _T | None:
        """What ``compiler`` makes of it; None where it has a problem."""
        try:
            made = compiler(source, self.scope)
        except ExpressionError as error:
            for each in (error, *error.others):
                self.problem(path, each.text, each.at, code=each.code, cure=each.cure)
            return None
        self.note(path, made.parts if isinstance(made, Template) else (made,))
        return made

    def note(self, path: DataPath, parts: Iterable[object], *, in_key: bool = False) -> None:
        """The expressions among ``parts`` stand at ``path``."""
        sites = [Site(self._name, self._path + path, part, in_key) for part in parts if isinstance(part, Expression)]
        self.sites += sites
        for keys in (keys for site in sites for keys in site.expression.paths):
            self.names |= {path_text(keys[:1]), path_text(keys)}
            self._roots.add(keys[0])
        if not self.scope.element:
            self.outside += [(site, use) for site in sites for use in uses(site.expression, _OF_EACH)]

    def no_element(self, names: Collection[str]) -> None:
        """These stand for nothing where there is no element: they were meant to."""
        for site, use in self.outside:
            expression = site.expression
            if use.name not in names or expression.source[use.at - expression.at] == "[":  # the record's, it says
                continue
            text = f"{use.name} is known only in what is made for each element of a list"
            cure = f'Write each: with the list beside it, or ["{use.name}"] for a key of the record'
            if site.path[2:] == ("when",):
                text, cure = f"{text}: the mapping's when is asked before", "Write the condition in the when of a post"
            self.problems.append(MappingProblem(site.path, use.at, text, site.in_key, Code.NO_ELEMENT, cure))

    def keys_of_a_list(self, each: Expression, sites: Iterable[Site]) -> None:
        """Where the list of ``each`` is read as if it were the element."""
        if not isinstance(each.node, Path):
            return
        keys = each.node.keys
        for site in sites:
            for node in walk_tree(site.expression.node):
                if isinstance(node, Path) and node.keys[: len(keys)] == keys and _is_name(node.keys[len(keys) :]):
                    text = f"{short(node)} is a key of a list: each takes one element of {each.source} after the other"
                    cure = f"Write {path_text((ELEMENT, *node.keys[len(keys) :]))}"
                    at = site.expression.at + node.at
                    self.problems.append(MappingProblem(site.path, at, text, site.in_key, Code.KIND, cure))

    def reads(self, place: Place) -> bool:
        """Whether anything so far reads what stands under ``place``."""
        return place in self._roots
