"""What of the mappings a set of records has tried: counted in whole things, each with its place.

A thing is a mapping, one of its posts, a field, a publish rule, one side of a condition, a list of several elements, a
``missing`` that took effect, a lookup or a table with and without a hit, an alternative of ``coalesce``. None of it
depends on how the file is laid out.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from contribd.mapping.compiled import DataPath, Site
from contribd.mapping.conversions import Lookup
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.functions import FUNCTIONS
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import RAISED, ErrorKind
from contribd.mapping.noted import Noted
from contribd.mapping.operators import has_row
from contribd.mapping.outcome import Outcome, Rejected, SuppressCode, Suppressed
from contribd.mapping.rules import MappingSpec
from contribd.mapping.syntax import (
    Binary,
    Call,
    Conditional,
    Literal,
    Node,
    Row,
    TableName,
    Unary,
    children,
    outcomes,
    walk_tree,
)
from contribd.mapping.traces import Trace
from contribd.mapping.written import short, written

Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to try. ``needs``: the record that would; ``path`` and ``offset`` are its place in the file."""

    mapping: str
    path: DataPath
    offset: int
    what: str
    needs: str
    is_key: bool = False
    """The place is that of the key itself: a field's name."""


class Coverage:
    """Counts while records are mapped."""

    def __init__(self, specs: Collection[tuple[DataPath, MappingSpec]], sites: Sequence[Site]) -> None:
        """``specs``: where each mapping stands, and what it says."""
        self._specs = {spec.name: spec for _, spec in specs}
        self.points: dict[Key, Point] = {}
        """All that can be tried."""
        self.covered: set[Key] = set()
        for path, spec in specs:
            self.points.update(_mapping_points(spec, path))
        asked = {(site.mapping, *each) for site in sites for each in _asked_for(site.expression.node)}
        for site in sites:
            for key, point in _site_points(site, _field_of(site, self._specs)):
                # Whether a row is missing is for the condition that asks so, where there is one.
                if key[0] != "row" or key[-1] or key[1:-1] not in asked:
                    self.points.setdefault(key, point)

    def add(self, noted: Noted) -> None:
        """One record, as it was mapped."""
        if not noted.parts:
            self._add(noted.outcome, noted.traces, 0)
            return
        self._try(noted.traces)
        for part in noted.parts:
            self._add(part.outcome, part.traces, part.place.post)

    def _add(self, outcome: Outcome | None, traces: Iterable[Trace], number: int) -> None:
        """One post, the mapping's ``number``-th; or the record, where it makes one."""
        missing = self._try(traces)
        spec = None if outcome is None or outcome.mapping is None else self._specs.get(outcome.mapping)
        if spec is None or isinstance(outcome, Rejected):
            return
        post = None if spec.posts is None else number
        if isinstance(outcome, Suppressed):
            self.covered.add(("rule", spec.name, post, outcome.code))
            return
        self.covered.add(("mapping", spec.name))
        if post is not None:
            self.covered.add(("post", spec.name, post))
        self.covered |= {("field", spec.name, post, name) for name in spec.post_at(post).fields if name not in missing}

    def _try(self, traces: Iterable[Trace]) -> set[str]:
        """What the expressions came to; gives the fields that were missing."""
        missing: set[str] = set()
        for trace in traces:
            field = _field_of(trace.site, self._specs)
            self.covered.update(_tried(trace, field))
            if field is not None and _is_missing(trace):
                missing.add(field[0])
                self.covered.add(("missing", trace.site.mapping, trace.site.post, field[0]))
        return missing


_Field: TypeAlias = tuple[str, FieldSpec]


def _field_of(site: Site, specs: Mapping[str, MappingSpec]) -> _Field | None:
    if site.section != "fields" or site.in_key:
        return None
    name = str(site.below[1])
    return name, specs[site.mapping].post_at(site.post).fields[name]


def _mapping_points(spec: MappingSpec, path: DataPath) -> Iterator[tuple[Key, Point]]:
    does = "ignored" if spec.ignore else "posted"
    needs = f"a record that {spec.name} takes" + ("" if spec.ignore else " and that is posted")
    yield ("mapping", spec.name), Point(spec.name, (*path, "name"), 0, f"nothing is {does} by {spec.name}", needs)
    if spec.posts is None:
        yield from _post_points(spec, None, path)
    for number in range(len(spec.posts or ())):
        place = (*path, "posts", number)
        text, needs = f"posts[{number}] is never posted", f"a record that {spec.name} takes, of which it is posted"
        yield ("post", spec.name, number), Point(spec.name, place, 0, text, needs)
        yield from _post_points(spec, number, place)


_RULES: Final = {
    "min_change": (SuppressCode.UNCHANGED, "what was last posted as last, and little new"),
    "min_interval": (SuppressCode.TOO_SOON, "last_at and at so soon after it"),
    "max_move": (SuppressCode.TOO_FAR, "what was last posted as last, and a value far from it"),
    "hours": (SuppressCode.OUT_OF_HOURS, "an at outside of them"),
}
"""The code of each publish rule, and what a test needs for it."""


def _rule_points(spec: MappingSpec, post: int | None, path: DataPath) -> Iterator[tuple[Key, Point]]:
    rules = spec.post_at(post).publish
    for rule, (code, says) in _RULES.items():
        if rules is not None and getattr(rules, rule) is not None:
            needs = f"a record that {spec.name} takes, with {says}: suppressed: {code}"
            place = (*path, "publish", rule)
            point = Point(spec.name, place, 0, f"{rule} never suppresses", needs, is_key=True)
            yield ("rule", spec.name, post, code), point


def _post_points(spec: MappingSpec, post: int | None, path: DataPath) -> Iterator[tuple[Key, Point]]:
    yield from _rule_points(spec, post, path)
    for name in spec.post_at(post).fields:
        text = f"{name} is never posted"
        needs = f"a record that {spec.name} takes, with all that {name} needs"
        yield ("field", spec.name, post, name), Point(spec.name, (*path, "fields", name), 0, text, needs, is_key=True)


def _site_points(site: Site, field: _Field | None) -> Iterator[tuple[Key, Point]]:
    for key, node, what, needs in _expression_points(site):
        yield key, _point(site, node, what, needs)
    if field is not None:
        yield from _field_points(site, *field)


def _point(site: Site, node: Node, what: str, needs: str) -> Point:
    who = "a record " if site.of_record and site.section == "when" else f"a record that {site.mapping} takes, "
    begins = min(part.at for part in walk_tree(node))
    return Point(site.mapping, site.path, site.expression.at + begins, what, who + needs, is_key=site.in_key)


def _field_points(site: Site, name: str, spec: FieldSpec) -> Iterator[tuple[Key, Point]]:
    node = site.expression.node
    source = short(node)
    if spec.missing != "reject":
        what = f"{name} is never {'left out' if spec.missing == 'skip' else 'blanked'}"
        yield ("missing", site.mapping, site.post, name), _point(site, node, what, f"that has no {source}")
    if spec.lookup is None:
        return
    some = ", ".join(list(spec.lookup)[:3]) + (", …" if len(spec.lookup) > 3 else "")
    yield (
        ("lookup", id(node), True),
        _point(site, node, f"the lookup of {name} never finds {source}", f"in which {source} is one of {some}"),
    )
    without = "takes its default" if spec.has("default") else "refuses what it lacks"
    yield (
        ("lookup", id(node), False),
        _point(site, node, f"the lookup of {name} never {without}", f"in which {source} is none of {some}"),
    )


def _expression_points(site: Site) -> Iterator[tuple[Key, Node, str, str]]:
    root = site.expression.node
    role = {"when": "the when", "checks": "the check"}.get(site.section)
    for node in _conditions(root, is_condition=role is not None):
        text = written(node)
        for side in (True, False):
            what = f"{text} is never {str(side).lower()}"
            if node is root and role == "the check":
                what = f"the check {text} never {'holds' if side else 'fails'}"
            yield ("side", id(node), side), node, what, f"for which {text} is {str(side).lower()}"
    if site.section == "each":
        text = short(root)
        yield ("several", id(root)), root, f"{text} never has several elements", f"in which {text} has two or more"
    for node in walk_tree(root):
        yield from _branches(site.mapping, node)


def _asked_for(root: Node) -> Iterator[tuple[str, str]]:
    """The tables with the keys of which an expression asks whether there is a row."""
    for node in walk_tree(root):
        if isinstance(node, Binary) and isinstance(node.right, TableName):
            yield node.right.table.name, written(node.left)


def _branches(mapping: str, node: Node) -> Iterator[tuple[Key, Node, str, str]]:
    if isinstance(node, Row):
        key, table = short(node.key), node.table.name
        row = ("row", mapping, table, written(node.key))
        can = _can_be_there(node)
        if True in can:
            yield (*row, True), node, f"no row of {table} is ever found", f"whose {key} is in {table}"
        if False in can:
            yield (*row, False), node, f"{table} never lacks {key}", f"whose {key} is not in {table}"
    elif isinstance(node, Call) and node.function == "coalesce":
        for number, argument in enumerate(node.arguments):
            text, before = short(argument), " or ".join(map(short, node.arguments[:number]))
            needs = f"in which {text} is not null" + (f" and there is no {before}" if before else "")
            if isinstance(argument, Literal):
                needs = f"in which there is no {before}"
            yield ("side", id(argument), "taken"), argument, f"coalesce never takes {text}", needs


def _can_be_there(row: Row) -> set[bool]:
    """Whether the row can be found, and can be missing: of keys that are constants the file itself says so."""
    found = set[bool]()
    for key in outcomes(row.key):
        if not isinstance(key, Literal):
            return {True, False}
        found.add(has_row(key.value, row.table))
    return found


def _conditions(node: Node, *, is_condition: bool) -> Iterator[Node]:
    """All that must be true or false: the whole, what and/or join, what stands behind ``if`` and in list functions."""
    if is_condition and not isinstance(node, Literal):
        yield node
    inner = node
    while isinstance(inner, Unary) and inner.operator == "not":
        inner = inner.operand
    if isinstance(inner, Binary) and inner.operator in {"and", "or"}:
        yield from _conditions(inner.left, is_condition=True)
        yield from _conditions(inner.right, is_condition=True)
        return
    if isinstance(inner, Conditional):
        yield from _conditions(inner.condition, is_condition=True)
        yield from _conditions(inner.then, is_condition=is_condition)
        yield from _conditions(inner.otherwise, is_condition=is_condition)
        return
    for number, part in enumerate(children(inner)):
        wants = isinstance(inner, Call) and FUNCTIONS[inner.function].parameter(number) is Kind.BOOLEAN
        yield from _conditions(part, is_condition=wants)


def _is_missing(trace: Trace) -> bool:
    return trace.whole is not None and trace.whole.error is not None and trace.whole.error.kind is ErrorKind.MISSING


def _tried(trace: Trace, field: _Field | None) -> Iterator[Key]:
    for event in trace.parts:
        node = event.subject
        if event.error is None:
            if isinstance(event.value, bool):
                yield "side", id(node), event.value
            if event.value is not None:
                yield "side", id(node), "taken"
        if isinstance(node, Row) and (event.error is None or not _failed(trace, node.key)):
            yield "row", trace.site.mapping, node.table.name, written(node.key), event.error is None
    whole = trace.whole
    if whole is not None and trace.site.section == "each" and isinstance(whole.value, list) and len(whole.value) > 1:
        yield "several", id(whole.subject)
    if field is not None and field[1].lookup is not None and whole is not None and not whole.error:
        yield "lookup", id(whole.subject), _has(field[1].lookup, whole.value)


def _failed(trace: Trace, node: Node) -> bool:
    event = trace.of(node)
    return event is None or event.error is not None


def _has(lookup: Mapping[str, object], value: object) -> bool:
    try:
        Lookup(dict.fromkeys(lookup, True), ())(value)
    except RAISED:
        return False
    return True
