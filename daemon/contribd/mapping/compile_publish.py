"""The publish rules of a post, compiled; every problem in them at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, Final

from contribd.mapping.codes import Code
from contribd.mapping.compile_field import FieldPart
from contribd.mapping.compiled import DataPath
from contribd.mapping.conversions import As
from contribd.mapping.expression import Expression
from contribd.mapping.hours import BadHours, Hours, read_hours
from contribd.mapping.mapping_texts import MappingTexts
from contribd.mapping.publish import MOVE_WITHIN, Limit, PublishRules
from contribd.mapping.publish_specs import IGNORE, PublishSpec
from contribd.mapping.scope import LAST
from contribd.mapping.syntax import Call, Literal, Node, Path, children, walk_tree
from contribd.mapping.zones import NoZone

TIMES: Final = frozenset({As.DATE, As.TIME, As.DATETIME})
_NO_NUMBER: Final = TIMES | {As.TEXT, As.RMTES}

Holidays = frozenset[date]


class PublishCompiler:
    """Compiles the ``publish`` of one post."""

    def __init__(self, texts: MappingTexts, parts: Iterable[FieldPart]) -> None:
        """``parts``: the fields that the post has."""
        self._texts = texts
        self._parts = {name: part for part in parts for name in part.target.names}

    def rules(self, spec: PublishSpec | None, holidays: Holidays | None, *, reads_last: bool) -> PublishRules | None:
        """The rules; None where there is nothing to be asked. ``holidays``: those of the file that the rules name."""
        if spec is None:
            return PublishRules(reads_last=True) if reads_last else None
        self._with_effect(spec)
        rules = PublishRules(
            min_change=self._limits("min_change", spec.min_change),
            times=frozenset(name for name, part in self._parts.items() if part.made_into in TIMES),
            min_interval=spec.min_interval,
            max_move=self._limits("max_move", spec.max_move),
            move_within=spec.max_move_within or MOVE_WITHIN,
            hours=self._hours(spec, holidays or frozenset()),
            reads_last=reads_last,
        )
        return rules if rules.remembers or rules.hours is not None else None

    def _with_effect(self, spec: PublishSpec) -> None:
        for name, needs in (("max_move_within", "max_move"), ("holidays", "hours")):
            if getattr(spec, name) is not None and getattr(spec, needs) is None:
                text = f"{name} has no effect without {needs}"
                self._texts.no_effect(("publish", name), text, Code.PUBLISH_EFFECT, f"Write {needs} too", key=True)
        if not spec.model_fields_set:
            text = "publish says no rule"
            self._texts.no_effect(("publish",), text, Code.PUBLISH_EFFECT, "Write one below it, or remove it", key=True)

    def _limits(self, rule: str, written: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """By the name that a field is posted under."""
        if written is None:
            return None
        made: dict[str, Limit | None] = {}
        for name, limit in written.items():
            posted = self._posted(name)
            path: DataPath = ("publish", rule, name)
            if posted is None:
                self._unknown(path, name)
            elif posted in made:
                text, cure = f"{name} is {posted}, which {rule} names already", f"Remove {name} or {posted}"
                self._texts.problem(path, text, key=True, code=Code.PUBLISH_FIELD, cure=cure)
            else:
                made[posted] = None if limit == IGNORE else limit
                self._compares(path, name, self._parts[posted], limit)
        return made

    def _posted(self, name: str) -> str | None:
        if name in self._parts:
            return name
        return next((target for target, part in self._parts.items() if part.name == name), None)

    def _unknown(self, path: DataPath, name: str) -> None:
        near = get_close_matches(name, self._parts, n=1)
        cure = f"Write {near[0]}" if near else f"Write one of its fields: {', '.join(sorted(self._parts)[:20])}"
        text = f"the mapping posts no field {name}"
        self._texts.problem(path, text, key=True, code=Code.PUBLISH_FIELD, cure=cure)

    def _compares(self, path: DataPath, name: str, part: FieldPart, limit: Limit | str) -> None:
        """Whether the field has numbers, which a rule can compare."""
        if isinstance(part.node, Literal):
            text, cure = f"{name} is a constant: it never changes", f"Remove {name}"
        elif limit != IGNORE and part.made_into in _NO_NUMBER:
            text = f"{name} is posted as {part.made_into}: it does not move by a number"
            cure = f"Write {name}: {IGNORE}, or remove it" if path[1] == "min_change" else f"Remove {name}"
        else:
            return
        self._texts.problem(path, text, key=True, code=Code.PUBLISH_NUMBER, cure=cure)

    def _hours(self, spec: PublishSpec, holidays: Holidays) -> Hours | None:
        if spec.hours is None:
            return None
        good: list[str] = []
        for text in spec.hours:
            try:
                read_hours((text,))
            except BadHours as error:
                self._texts.problem(("publish", "hours"), f"{text!r}: {error}", code=Code.HOURS, cure=error.cure)
            except NoZone as error:
                self._texts.problem(("publish", "hours"), str(error), code=Code.ZONE, cure=error.cure)
            else:
                good.append(text)
        return read_hours(tuple(good), holidays) if good else None


def unguarded(expression: Expression) -> Iterator[Path]:
    """Where ``expression`` reads a value last posted and does without none: the first record of a RIC has none.

    ``coalesce`` with something behind it does without, and so does what asks ``exists`` of the same field.
    """
    asked = set(_asked(expression.node))
    yield from (path for path in _needed(expression.node) if path.keys not in asked)


def _asked(node: Node) -> Iterator[tuple[Any, ...]]:
    for each in walk_tree(node):
        if isinstance(each, Call) and each.function == "exists":
            yield from (part.keys for part in each.arguments if isinstance(part, Path))


def _needed(node: Node) -> Iterator[Path]:
    if isinstance(node, Path):
        if node.keys[0] is LAST:
            yield node
        return
    parts: Collection[Node] = children(node)
    if isinstance(node, Call) and node.function in {"coalesce", "exists"}:
        parts = node.arguments[-1:] if node.function == "coalesce" else ()
    for part in parts:
        yield from _needed(part)
