"""The way of one record to its outcome, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contribd.mapping.compiled import Site
from contribd.mapping.noted import NotedMapper
from contribd.mapping.operators import Value
from contribd.mapping.outcome import Outcome, Rejected
from contribd.mapping.scope import Surroundings
from contribd.mapping.syntax import Literal
from contribd.mapping.tape import GATE, Event, Stage
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
    """One expression. ``what``: ``when``, ``let mid``, ``ric``, a field's name, ``check``; see ``name_of``."""

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
class Explanation:
    """The outcome of one record and the way there; what was not come to is left out."""

    outcome: Outcome
    asked: tuple[Asked, ...]
    computed: tuple[Computed, ...]
    """Of the mapping that was taken, in the order: ``let``, RIC, fields, checks."""
    failed_checks: tuple[Reason, ...]
    """Why the check that rejected it is not true."""

    @property
    def failed(self) -> Computed | None:
        """The expression that rejected the record, where one did."""
        if not isinstance(self.outcome, Rejected) or self.outcome.mapping is None or not self.computed:
            return None
        bad = [each for each in self.computed if each.last.error or (each.what == "check" and each.last.value is False)]
        return bad[-1] if bad else None


def explain(mapper: NotedMapper, value: bytes | None, surroundings: Surroundings | None) -> Explanation:
    """What ``value`` comes to, and why."""
    outcome, traces = mapper.map(value, surroundings)
    asked = tuple(_asked(mapper, outcome.mapping, traces)) if traces or outcome.mapping else ()
    rest = [each for each in traces if section(each.site) != "when" and each.site.mapping == outcome.mapping]
    rest.sort(key=lambda trace: _ORDER.get(section(trace.site), 0))
    checks = [each for each in rest if section(each.site) == "checks"]
    why = tuple(reasons(checks[-1])) if checks and isinstance(outcome, Rejected) else ()
    return Explanation(outcome, asked, tuple(map(computed, rest)), why)


_ORDER = {"let": 0, "ric": 1, "fields": 2, "checks": 3}


def section(site: Site) -> str:
    """Which part of its mapping an expression belongs to: ``when``, ``let``, ``ric``, ``fields``, ``checks``."""
    return next((str(step) for step in site.path if step in _SECTIONS), "")


_SECTIONS = frozenset({"when", *_ORDER})


def name_of(site: Site) -> str:
    """The expression's place within its mapping, for people: ``name ROW64_{row}`` for one in a field's name."""
    of = section(site)
    below = site.path[site.path.index(of) + 1 :] if of else ()
    if of == "fields" and below:
        return f"name {below[0]}" if site.in_key else str(below[0])
    if of == "let" and below:
        return f"let {below[0]}"
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
    conditions = {trace.site.mapping: trace for trace in traces if section(trace.site) == "when"}
    for mapping in mapper.mapper.mappings:
        trace = conditions.get(mapping.name)
        is_taken = mapping.name == taken
        why = () if is_taken or trace is None else tuple(reasons(trace))
        yield Asked(mapping.name, is_taken, computed(trace) if trace else None, why)
        if is_taken:
            return
