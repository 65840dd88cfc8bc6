"""The texts of one mapping, compiled one by one: where each stands, and what is wrong with it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar

from contribd.mapping.compiled import DataPath, MappingProblem, Site
from contribd.mapping.expression import Expression, compile_expression
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.scope import LetName, Place, Scope
from contribd.mapping.syntax import Literal
from contribd.mapping.template import Template

_T = TypeVar("_T")

NOTHING: Final = Expression("", Kind.ANY, Literal(0, None), (), frozenset(), lambda _record: None)
"""Stands in for an expression with a problem: it can give anything, so that nothing more is said about it."""


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

    def let(self, place: LetName) -> None:
        """From here on its name stands for what was computed."""
        self.scope = replace(self.scope, lets={**self.scope.lets, place.name: place})

    def post(self, names: frozenset[str]) -> None:
        """From here on ``@post`` has these fields."""
        self.scope = replace(self.scope, post=names)

    def problem(
        self, path: DataPath, text: str, offset: int = 0, *, key: bool = False, code: str = "", cure: str = ""
    ) -> None:
        """Something wrong at ``path`` in the mapping."""
        self.problems.append(MappingProblem(self._path + path, offset, text, key, code, cure))

    def no_effect(self, path: DataPath, text: str, code: str, cure: str, *, key: bool = False) -> None:
        """Something that the mapping could do without."""
        self.without_effect.append(MappingProblem(self._path + path, 0, text, key, code, cure))

    def expression(self, source: str, path: DataPath) -> Expression:
        """The expression at ``path``; a stand-in where it has a problem."""
        return self.compiled(compile_expression, source, path) or NOTHING

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
        self.sites += [
            Site(self._name, self._path + path, part, in_key) for part in parts if isinstance(part, Expression)
        ]

    def reads(self, place: Place) -> bool:
        """Whether anything so far reads what stands under ``place``."""
        return any(site.expression.reads(place) for site in self.sites)
