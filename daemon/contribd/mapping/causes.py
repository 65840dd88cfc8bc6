"""Why a record came to what it came to, in a few lines: for whoever expected something else."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from contribd.mapping.cases import value_text
from contribd.mapping.compiled import Site
from contribd.mapping.explain import Asked, Computed, Explanation
from contribd.mapping.operators import Value
from contribd.mapping.outcome import Ignored, Mapped, RejectCode, Several
from contribd.mapping.traces import Reason

MAX_CAUSES = 8
"""Lines: of forty mappings that did not match, the first ones are told."""

MAX_VALUE = 80
"""Characters of one value."""


class Cause(NamedTuple):
    """One line. ``site``: the expression that it is about."""

    text: str
    site: Site | None = None


def causes(explanation: Explanation, names: Sequence[str] = ()) -> list[Cause]:
    """What led to the outcome.

    ``names`` are what came out otherwise than expected: ``outcome``, ``mapping``, ``ric``, the names of fields.
    """
    outcome = explanation.outcome
    if isinstance(outcome, Mapped | Ignored | Several):
        found = list(_parts(explanation.computed, names))
        if "outcome" in names or "mapping" in names:
            found = [*_passed_over(explanation.asked), *_held(explanation), *found]
    elif outcome.code is RejectCode.NO_MAPPING:
        found = list(_passed_over(explanation.asked))
    else:
        found = list(_failed(explanation))
    more = len(found) - MAX_CAUSES
    return found if more <= 0 else [*found[:MAX_CAUSES], Cause(f"and {more} more")]


def shown(value: Value) -> str:
    """A value, of a bounded length."""
    text = value_text(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def reason_text(reason: Reason) -> str:
    """``tenor == "SP" is false (tenor "1M")``."""
    values = ", ".join(f"{name} {shown(value)}" for name, value in reason.values if name != reason.expression)
    return f"{reason.expression} {reason.text}" + (f" ({values})" if values else "")


def _passed_over(asked: Iterable[Asked]) -> Iterator[Cause]:
    for each in asked:
        if not each.taken and each.when is not None:
            why = "; ".join(map(reason_text, each.why_not))
            yield Cause(f"{each.mapping} does not match: {why}", each.when.site)


def _held(explanation: Explanation) -> Iterator[Cause]:
    """The conditions that were true: whoever expected no post expected one of them to be false."""
    for asked in explanation.asked:
        if asked.taken:
            why = f": {_true(asked.when)}" if asked.when is not None else ", it has no when"
            yield Cause(f"{asked.mapping} takes it{why}", asked.when.site if asked.when else None)
    for each in explanation.computed:
        if each.what == "check":
            yield Cause(f"check {_true(each)}", each.site)


def _true(each: Computed) -> str:
    values = ", ".join(f"{name} {shown(value)}" for name, value in each.reads if name != each.whole.text)
    return f"{each.source} is true" + (f" ({values})" if values else "")


def _parts(computed: Iterable[Computed], names: Sequence[str]) -> Iterator[Cause]:
    for each in computed:
        if each.what in names:
            yield Cause(f"{each.what} is {_way(each)}", each.site)


def _way(each: Computed) -> str:
    """``(bid + ask) / 2 = 1.084135, round: 5 = 1.08414 (bid 1.08412, ask 1.08415)``."""
    whole = each.whole
    ends, before = [], whole.value
    for step in each.after:
        if step.error or step.value != before:
            ends.append(step.error or f"{step.text} = {shown(step.value)}")
        before = step.value
    parts = ", ".join(f"{name} {shown(value)}" for name, value in each.reads if name != whole.text)
    first = f"{each.source} = {shown(whole.value)}" if not whole.error else f"{each.source}: {whole.error}"
    return ", ".join([first, *ends]) + (f" ({parts})" if parts else "")


def _failed(explanation: Explanation) -> Iterator[Cause]:
    failed = explanation.failed
    if failed is None:
        return
    if failed.what == "check" and not failed.last.error:
        yield from (Cause(f"check {reason_text(each)}", failed.site) for each in explanation.failed_checks)
    else:
        yield Cause(f"{failed.what} is {_way(failed)}", failed.site)
