"""What a tape says of one record, expression by expression."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from contribd.mapping.compiled import Site
from contribd.mapping.operators import Value
from contribd.mapping.syntax import Access, Binary, Literal, Node, Path, Row, Unary, children, walk_tree
from contribd.mapping.tape import Event, Stage
from contribd.mapping.written import short, written


@dataclass(slots=True)
class Trace:
    """What one expression came to, for one record."""

    site: Site
    parts: list[Event] = field(default_factory=list)
    """Its parts as they were computed, the whole at the end; within a list function they come once for each element."""
    stages: list[Event] = field(default_factory=list)
    """What happened to its value afterwards, as lookup and round."""

    @property
    def whole(self) -> Event | None:
        """The expression itself; None where it was not computed."""
        last = self.parts[-1] if self.parts else None
        return last if last is not None and last.subject is self.site.expression.node else None

    @property
    def end(self) -> Event | None:
        """What came out behind all stages."""
        return self.stages[-1] if self.stages else self.whole

    def of(self, node: Node) -> Event | None:
        """What a part came to the last time; constants are as they stand."""
        if isinstance(node, Literal):
            return Event(node, node.value, None)
        return next((event for event in reversed(self.parts) if event.subject is node), None)


class Tracer:
    """Sorts the events of one record by the expressions that they are about."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self._sites = list(sites)
        self._of_node = {
            id(node): number for number, site in enumerate(self._sites) for node in walk_tree(site.expression.node)
        }

    def traces(self, events: Sequence[Event]) -> list[Trace]:
        """In the order of the sites; those that were not come to are left out.

        Of what was computed twice (one by one, after all at once had failed) the second time counts.
        """
        found: dict[int, Trace] = {}
        current: Trace | None = None
        for event in events:
            if isinstance(event.subject, Stage):
                if current is not None:
                    current.stages.append(event)
                continue
            number = self._of_node.get(id(event.subject))
            if number is None:
                current = None  # a constant: nobody asks for its stages
                continue
            current = found.get(number)
            if current is None or current.whole is not None:
                current = found[number] = Trace(self._sites[number])
            current.parts.append(event)
        return [found[number] for number in sorted(found)]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a condition does not hold: a part of it, what that came to, and the values that it looked at."""

    expression: str
    text: str
    """``is false``, ``cannot be told: the record has no tenor``."""
    values: tuple[tuple[str, Value], ...]


def reasons(trace: Trace) -> list[Reason]:
    """Why the condition of ``trace`` is not true: the smallest parts of it that decide so."""
    return list(_reasons(trace, trace.site.expression.node, wanted=True))


def _reasons(trace: Trace, node: Node, *, wanted: bool) -> Iterator[Reason]:
    event = trace.of(node)
    if event is None or (event.error is None and event.value is wanted):
        return
    inner: list[Reason] = []
    if isinstance(node, Unary) and node.operator == "not":
        inner = [*_reasons(trace, node.operand, wanted=not wanted)]
    elif isinstance(node, Binary) and node.operator in {"and", "or"}:
        inner = [*_reasons(trace, node.left, wanted=wanted), *_reasons(trace, node.right, wanted=wanted)]
    if inner:
        yield from inner
        return
    text = f"cannot be told: {event.error.text}" if event.error else f"is {_word(event.value)}"
    yield Reason(short(node), text, tuple(read_values(trace, node)))


def read_values(trace: Trace, node: Node) -> Iterator[tuple[str, Value]]:
    """What ``node`` took from the record, from tables and from what was computed before, once each."""
    found: dict[str, Value] = {}
    for part in reads(node):
        event = trace.of(part)
        if event is not None and event.error is None:
            found[written(part)] = event.value
    yield from found.items()


def reads(node: Node) -> Iterator[Path | Access | Row]:
    """The parts of ``node`` that take something: ``instruments[id].ric`` as a whole, then ``id``."""
    match node:
        case Path() | Row():
            yield node
        case Access():
            yield node
            node = node.base if isinstance(node.base, Row | Access) else node
    for part in children(node):
        yield from reads(part)


def _word(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else "neither true nor false"
