"""The way of one record to its outcome, step by step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contribd.mapping.compiled import Site
from contribd.mapping.judging import Judge
from contribd.mapping.noted import NotedMapper
from contribd.mapping.operators import Value
from contribd.mapping.outcome import Outcome, Rejected
from contribd.mapping.scope import Surroundings
from contribd.mapping.syntax import Literal
from contribd.mapping.tape import GATE, Event, PartPlace, Stage
from contribd.mapping.traces import Reason, Trace, read_values, reasons
from contribd.mapping.written import short

MAX_STEPS = 40
"""Shown of one expression: a list function may have thousands."""


@dataclass(frozen=True, slots=True)
class ValueStep:
    """One part of an expression, or one thing done to its value: what it came to, or why it came to nothing."""

    text: str
    value: Value
    error: str | None


@dataclass(frozen=True, slots=True)
class Computed:
    """One expression. ``what``: ``when``, ``each``, ``let mid``, ``ric``, a field's name, ``check``: ``name_of``."""

    what: str
    site: Site
    parts: tuple[ValueStep, ...]
    """What it is computed from, innermost first; the whole at the end."""
    after: tuple[ValueStep, ...]
    """What was done to its value: ``lookup``, ``as``, ``round``."""
    reads: tuple[tuple[str, Value], ...]
    """What it took from the record, from tables and from what was computed before."""
    left_out: int = 0
    """Parts beyond ``MAX_STEPS``."""

    @property
    def source(self) -> str:
        """The expression as it is written."""
        return self.site.expression.source

    @property
    def whole(self) -> ValueStep:
        """What it came to by itself."""
        return self.parts[-1]

    @property
    def last(self) -> ValueStep:
        """What came out at the end."""
        return (self.after or self.parts)[-1]


@dataclass(frozen=True, slots=True)
class Asked:
    """One mapping that was asked about the record. ``when``: None where it has none."""

    mapping: str
    taken: bool
    when: Computed | None
    why_not: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class PostExplanation:
    """What one post came to, and the way there; what was not come to is left out."""

    outcome: Outcome | None
    """None where its ``when`` is false: it is not made."""
    computed: tuple[Computed, ...]
    """In the order: ``each``, ``let``, ``when`` of the post, RIC, fields, checks."""
    why_not: tuple[Reason, ...]
    """Why the check that rejected it, or its ``when``, is not true."""
    place: PartPlace | None = None
    """Where it comes from, among several of a record."""

    @property
    def failed(self) -> Computed | None:
        """The expression that rejected it, where one did."""
        if not isinstance(self.outcome, Rejected) or self.outcome.mapping is None:
            return None
        bad = [each for each in self.computed if _is_bad(each)]
        return bad[-1] if bad else None


@dataclass(frozen=True, slots=True)
class Explanation(PostExplanation):
    """The outcome of one record and the way there."""

    outcome: Outcome
    asked: tuple[Asked, ...] = ()
    posts: tuple[PostExplanation, ...] = ()
    """Of a mapping that makes several: one by one, those that are not made too. ``computed`` is what was for all."""

    @property
    def ways(self) -> tuple[PostExplanation, ...]:
        """Of each post, or of the record itself."""
        return self.posts or (self,)


def explain(
    mapper: NotedMapper, value: bytes | None, surroundings: Surroundings | None, judge: Judge | None = None
) -> Explanation:
    """What ``value`` comes to, and why; ``judge``: what asks the publish rules."""
    noted = mapper.map(value, surroundings, judge)
    outcome, traces = noted.outcome, noted.traces
    asked = tuple(_asked(mapper, outcome.mapping, traces)) if traces or outcome.mapping else ()
    of_mapping = [each for each in traces if each.site.mapping == outcome.mapping and each.site.below != ("when",)]
    way = _way(outcome, of_mapping)
    posts = tuple(_way(part.outcome, part.traces, part.place) for part in noted.parts)
    return Explanation(outcome, way.computed, way.why_not, asked=asked, posts=posts)


def _way(outcome: Outcome | None, traces: Iterable[Trace], place: PartPlace | None = None) -> PostExplanation:
    ordered = sorted(traces, key=lambda trace: _ORDER.index(trace.site.section))
    wanted = "when" if outcome is None else "checks" if isinstance(outcome, Rejected) else ""
    conditions = [each for each in ordered if each.site.section == wanted]
    why = tuple(reasons(conditions[-1])) if conditions else ()
    return PostExplanation(outcome, tuple(map(computed, ordered)), why, place)


_ORDER = ("each", "let", "when", "ric", "fields", "checks")


def _is_bad(each: Computed) -> bool:
    """Whether it gave no value, or one that rejects: a check that is false, an ``each`` that is no list."""
    value, section = each.last.value, each.site.section
    if section == "when" and not isinstance(value, bool):
        return True
    return (
        bool(each.last.error)
        or (section == "checks" and value is not True)
        or (section == "each" and not isinstance(value, list))
    )


def name_of(site: Site) -> str:
    """The expression's place within its mapping, for people: ``name ROW64_{row}`` for one in a field's name."""
    of, below = site.section, site.below
    if of == "fields":
        return f"name {below[1]}" if site.in_key else str(below[1])
    if of == "let":
        return f"let {below[1]}"
    return {"checks": "check"}.get(of, of)


def computed(trace: Trace) -> Computed:
    """One expression with the values of its parts."""
    parts = list(_parts(trace))
    kept = parts if len(parts) <= MAX_STEPS else [*parts[: MAX_STEPS - 1], parts[-1]]
    left_out = len(parts) - len(kept)
    reads = tuple(read_values(trace, trace.site.expression.node))
    return Computed(name_of(trace.site), trace.site, tuple(kept), tuple(_stages(trace)), reads, left_out)


def _parts(trace: Trace) -> Iterator[ValueStep]:
    events = [event for event in trace.parts if not isinstance(event.subject, Literal)] or trace.parts
    seen = set[tuple[str, str]]()
    for event in events:
        step = _step(event)
        if (step.text, repr(step.value)) not in seen or event is events[-1]:
            seen.add((step.text, repr(step.value)))
            yield step


def _stages(trace: Trace) -> Iterator[ValueStep]:
    before = trace.parts[-1].value
    for event in trace.stages:
        step = _step(event)
        # The last gate lets most values through as they are: it is worth a line where it does not.
        if step.text != GATE or step.error or type(before) is not type(step.value) or before != step.value:
            yield step
        before = step.value


def _step(event: Event) -> ValueStep:
    text = event.subject.name if isinstance(event.subject, Stage) else short(event.subject)
    return ValueStep(text, event.value, event.error.text if event.error else None)


def _asked(mapper: NotedMapper, taken: str | None, traces: Sequence[Trace]) -> Iterator[Asked]:
    """The mappings in order, up to the one that was taken."""
    conditions = {
        trace.site.mapping: trace for trace in traces if trace.site.of_record and trace.site.section == "when"
    }
    for mapping in mapper.mapper.mappings:
        trace = conditions.get(mapping.name)
        is_taken = mapping.name == taken
        why = () if is_taken or trace is None else tuple(reasons(trace))
        yield Asked(mapping.name, is_taken, computed(trace) if trace else None, why)
        if is_taken:
            return
