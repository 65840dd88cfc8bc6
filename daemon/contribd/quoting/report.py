"""What came of an order about quotes, in words. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from contribd.engine.clock import iso
from contribd.engine.posts.ordered import MAX_SAMPLES, Tally
from contribd.engine.records.pauses import Selector
from contribd.engine.records.standing import OrderKind

_VERBS: Final = {OrderKind.WITHDRAW: "withdrawn", OrderKind.REPUBLISH: "posted once more"}
_NOT_DONE: Final = {
    "refused": "refused",
    "unanswered": "posted, and not answered",
    "unlisted": "left as they are, since their mappings list no fields under withdraw",
    "unsure": "left as they are, since nobody knows what stands: their last post got no answer, or its result was "
    "shortened",
    "left": "not posted, since their partitions were revoked or their instance stops: give the order again",
    "waiting": "not posted or not answered yet; this goes on",
}
"""What came of RICs that an operator has to look at."""

_LEFT_OUT: Final = {
    "overtaken": "left to a newer price",
    "paused": "paused, and so not posted",
    "too_old": "older than max_age, and so not posted",
}
"""What came of RICs that is as it must be."""


class Report(NamedTuple):
    """``done``: all that can be done is. ``text``: in a sentence; then, a line each, what else there is to say."""

    done: bool
    text: str


def report(
    kind: OrderKind, what: Selector, here: Tally, others: Mapping[str, Tally], silent: list[str], unwritten: str | None
) -> Report:
    """What was done here, and by the other instances, by name; ``silent``: those that have not said what they did;
    ``unwritten``: why no other instance may know of it."""
    tallies = {"this one": here, **dict(sorted(others.items()))}
    lines = [_first(kind, what, tallies)]
    lines += _counts(tallies, _LEFT_OUT)
    problems = _counts(tallies, _NOT_DONE)
    if nobodys := _elsewhere(here, tallies):
        problems.append(f"{nobodys} of partitions that no instance had just then: give the order again")
    problems += [
        f"{name} could not read the results topic, and knew what it posted itself alone: {tally.failure}"
        for name, tally in tallies.items()
        if tally.failure is not None
    ]
    if silent and here.failure is None and here.over and not nobodys:
        lines.append(f"{', '.join(sorted(silent))} did not answer; others had all partitions with quotes")
    elif silent:
        problems.append(f"not known of {', '.join(sorted(silent))}: see the log there, or give the order again")
    if unwritten is not None:
        problems.append(f"the other instances do not know of the order yet: {unwritten}")
    lines += problems
    if here.since is not None:
        lines.append(f"the results that were read begin with a post of {iso(here.since)}")
    return Report(not problems, "\n".join(lines))


def _first(kind: OrderKind, what: Selector, tallies: Mapping[str, Tally]) -> str:
    done = sum(tally.accepted for tally in tallies.values())
    text = f"{what}: {_quotes(done)} {_VERBS[kind]}"
    if len(tallies) == 1:
        return text
    shares = ", ".join(f"{name} {tally.accepted}" for name, tally in tallies.items())
    return f"{text}, by {len(tallies)} instances: {shares}"


def _counts(tallies: Mapping[str, Tally], words: Mapping[str, str]) -> list[str]:
    lines = []
    for name, text in words.items():
        if number := sum(getattr(tally, name) for tally in tallies.values()):
            lines.append(f"{number} {text}")
            if name in _NAMED:
                lines += [f"  {sample}" for tally in tallies.values() for sample in _samples(tally, name)][:MAX_SAMPLES]
    return lines


_NAMED: Final = frozenset({"refused", "unanswered"})


def _samples(tally: Tally, name: str) -> list[str]:
    """Those of one kind: a post without an answer says so."""
    return [each for each in tally.samples if (": UNANSWERED" in each) is (name == "unanswered")]


def _elsewhere(here: Tally, tallies: Mapping[str, Tally]) -> int:
    """Quotes of partitions that none of these instances had."""
    had = {partition for tally in tallies.values() for partition in tally.partitions}
    return sum(number for partition, number in here.elsewhere.items() if partition not in had)


def _quotes(number: int) -> str:
    return f"{number} quote" if number == 1 else f"{number} quotes"
