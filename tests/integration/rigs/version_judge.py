"""What a ``read_committed`` reader finds of a flow of versions, beside what was fed: one true result a post."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tests.integration.rigs.prices import Place
from tests.integration.rigs.provider_rig import JournaledPost
from tests.integration.rigs.version_flow import Quote
from tests.integration.rigs.versions import Fed, version_of

from contribd.engine.records.price import Status
from contribd.results.result import Result, Source

PartPlace: TypeAlias = tuple[str, int, int, int | None]
"""Topic, partition, offset, and which of the record's posts where it makes several."""

_POSTED: Final = (Status.ACK, Status.NAK)


@dataclass
class Judged:
    """What is wrong, a text each."""

    expected: int = 0
    """Results that there must be."""
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    """Results of what was not fed."""
    untrue: list[str] = field(default_factory=list)
    """Results that do not say what became of their post."""
    reordered: list[str] = field(default_factory=list)
    """Posts with an older version after one with a newer, as their results are read."""

    @property
    def clean(self) -> bool:
        """Whether nothing is."""
        return not (self.missing or self.doubled or self.strange or self.untrue or self.reordered)


def judge(
    results: Sequence[Result], fed: Fed, unreadable: set[Place], posts: Iterable[JournaledPost] | None = None
) -> Judged:
    """``results`` in the order of each partition; ``posts``: what the ADS got, where it is to be compared."""
    expected = dict(_expected(fed))
    found: dict[PartPlace, list[Result]] = defaultdict(list)
    for result in results:
        found[place_of(result.record)].append(result)
    posted = None if posts is None else {(post.ric, version_of(post)) for post in posts}
    judged = Judged(len(expected) + len(unreadable))
    wanted = expected.keys() | {(*place, None) for place in unreadable}
    judged.missing = sorted(map(_text, wanted - found.keys()))
    judged.doubled = [f"{_text(at)}: {len(each)} results" for at, each in found.items() if len(each) > 1]
    judged.strange = sorted(map(_text, found.keys() - wanted))
    for at, (quote, count) in expected.items():
        for result in found.get(at, ()):
            wrong = _untrue(result, quote, count) or _uncarried(result, quote, expected, found)
            if not wrong and posted is not None and result.status in _POSTED and tuple(quote) not in posted:
                wrong = "the ADS got no such post"
            if wrong:
                judged.untrue.append(f"{_text(at)} ({quote.ric}, version {quote.version}): {wrong}")
    judged.reordered = _reordered(results, expected)
    return judged


def place_of(source: Source) -> PartPlace:
    """Which post a source is of."""
    return source.topic, source.partition, source.offset, source.part


def _expected(fed: Fed) -> Iterable[tuple[PartPlace, tuple[Quote, int]]]:
    for place, quotes in fed.items():
        for number, quote in enumerate(quotes):
            yield (*place, number if len(quotes) > 1 else None), (quote, len(quotes))


def _untrue(result: Result, quote: Quote, count: int) -> str | None:
    """What its result says that it should not, if it does."""
    status, fields = result.status, result.fields or {}
    if result.ric != quote.ric:
        return f"its result has the RIC {result.ric}"
    if result.record.parts != (count if count > 1 else None):
        return f"its result says that there are {result.record.parts} posts, of {count}"
    if (status is Status.REJECTED) != (quote.version is None):
        return f"it is {status}"
    if status in _POSTED and status is not (Status.NAK if quote.refused else Status.ACK):
        return f"it is {status}"
    if status in _POSTED and fields.get("ACVOL_1") != quote.version:
        return f"its result has the fields {fields}"
    return None


def _uncarried(
    result: Result,
    quote: Quote,
    expected: dict[PartPlace, tuple[Quote, int]],
    found: dict[PartPlace, list[Result]],
) -> str | None:
    """Why what it says carried it cannot have done so."""
    if result.status is not Status.CONFLATED:
        return None
    if result.carried_by is None:
        return "it is CONFLATED, and carried by nothing"
    at = place_of(result.carried_by)
    carrier, _ = expected.get(at, (None, 0))
    if carrier is None or carrier.ric != quote.ric or (carrier.version or 0) <= (quote.version or 0):
        return f"carried by {_text(at)}, which is {carrier}"
    if any(each.status is Status.CONFLATED for each in found.get(at, ())):
        return f"carried by {_text(at)}, which was carried itself"
    return None


def _reordered(results: Sequence[Result], expected: dict[PartPlace, tuple[Quote, int]]) -> list[str]:
    newest: Counter[str] = Counter()
    wrong = []
    for result in results:
        quote, _ = expected.get(place_of(result.record), (None, 0))
        if quote is None or quote.version is None or not result.posts:
            continue
        if quote.version < newest[quote.ric]:
            wrong.append(f"{quote.ric}: {quote.version} after {newest[quote.ric]} ({result.origin})")
        newest[quote.ric] = max(newest[quote.ric], quote.version)
    return wrong


def _text(place: PartPlace) -> str:
    topic, partition, offset, part = place
    return f"{topic}:{partition}:{offset}" + ("" if part is None else f" post {part}")
