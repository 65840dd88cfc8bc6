"""Why a record came to what it came to, in a few lines: for whoever expected something else."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from contribd.mapping.case_parts import NO_RIC
from contribd.mapping.cases import Comparison, value_text
from contribd.mapping.compiled import Site
from contribd.mapping.explain import Asked, Computed, Explanation, PostExplanation
from contribd.mapping.operators import Value
from contribd.mapping.outcome import Outcome, RejectCode, Rejected, Several
from contribd.mapping.traces import Reason

MAX_CAUSES = 8
"""Lines: of forty mappings that did not match, the first ones are told."""

MAX_VALUE = 80
"""Characters of one value."""


class Cause(NamedTuple):
    """One line. ``site``: the expression that it is about."""

    text: str
    site: Site | None = None


def causes(explanation: Explanation, differences: Sequence[Comparison] = ()) -> list[Cause]:
    """What led to the outcome; ``differences``: what came out otherwise than expected."""
    outcome = explanation.outcome
    names = _names(differences, "")
    if isinstance(outcome, Rejected) and outcome.code is RejectCode.NO_MAPPING:
        found = list(_passed_over(explanation.asked))
    elif isinstance(outcome, Rejected) and not explanation.posts:
        found = list(_failed(explanation))
    else:
        found = [*_chosen(explanation.asked)] if names & {"outcome", "mapping"} else []
        found += [cause for way in explanation.ways for cause in _of_post(way, _wanted(way, explanation, differences))]
    more = len(found) - MAX_CAUSES
    return found if more <= 0 else [*found[:MAX_CAUSES], Cause(f"and {more} more")]


def _names(differences: Sequence[Comparison], post: str) -> set[str]:
    """``outcome``, ``mapping``, ``ric``, the names of fields: of one post, or of the record where that is none."""
    return {each.what.removeprefix("fields.") for each in differences if each.post == post}


def _post_names(outcome: Outcome) -> tuple[str, ...]:
    """How comparisons may call a post."""
    return (NO_RIC,) if outcome.ric is None else (outcome.ric, f"{outcome.ric} of {outcome.service}")


def _wanted(way: PostExplanation, explanation: Explanation, differences: Sequence[Comparison]) -> set[str]:
    """What of one post came out otherwise than expected."""
    if way.outcome is None:
        known = {
            name for other in explanation.posts if other.outcome is not None for name in _post_names(other.outcome)
        }
        return {each.what for each in differences if (each.post not in known if each.post else each.what == "outcome")}
    of_record = _names(differences, "")
    if isinstance(explanation.outcome, Several):
        of_record &= {"outcome"}
    return of_record.union(*(_names(differences, name) for name in _post_names(way.outcome)))


def _of_post(way: PostExplanation, wanted: set[str]) -> Iterator[Cause]:
    if not wanted:
        return
    where = f"{way.place.text}: " if way.place is not None and way.place.text else ""
    for cause in _causes_of_post(way, wanted):
        yield Cause(where + cause.text, cause.site)


def _causes_of_post(way: PostExplanation, wanted: set[str]) -> Iterator[Cause]:
    if way.outcome is None:
        when = next((each.site for each in way.computed if each.site.section == "when"), None)
        yield Cause(f"not made: {'; '.join(map(reason_text, way.why_not))}", when)
    elif isinstance(way.outcome, Rejected):
        yield from _failed(way)
    else:
        conditions = [each for each in way.computed if each.site.section in {"when", "checks"}]
        if wanted & {"outcome", "mapping"}:
            yield from (Cause(f"{each.what} {_true(each)}", each.site) for each in conditions)
        yield from _parts(way.computed, wanted)


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


def _chosen(asked: Sequence[Asked]) -> Iterator[Cause]:
    """The mappings that were asked: whoever expected another outcome expected another of them to take the record."""
    yield from _passed_over(asked)
    for each in asked:
        if each.taken:
            why = f": {_true(each.when)}" if each.when is not None else ", it has no when"
            yield Cause(f"{each.mapping} takes it{why}", each.when.site if each.when else None)


def _true(each: Computed) -> str:
    values = ", ".join(f"{name} {shown(value)}" for name, value in each.reads if name != each.whole.text)
    return f"{each.source} is true" + (f" ({values})" if values else "")


def _parts(computed: Iterable[Computed], names: set[str]) -> Iterator[Cause]:
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


def _failed(explanation: PostExplanation) -> Iterator[Cause]:
    failed = explanation.failed
    if failed is None:
        return
    if failed.what == "check" and not failed.last.error:
        yield from (Cause(f"check {reason_text(each)}", failed.site) for each in explanation.why_not)
    else:
        yield Cause(f"{failed.what} is {_way(failed)}", failed.site)
