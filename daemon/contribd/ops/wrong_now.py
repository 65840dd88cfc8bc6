"""What is wrong now, RIC by RIC: refused, unanswered, rejected, posted by itself, silent.

Each RIC is told once, by the first of these that holds. A RIC is wrong by its last answer until a price of it is
accepted; it is silent where it had a record and has had none for longer than ``contribution.stale_after``.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from contribd.engine.limits import MAX_SHOWN
from contribd.ops.last_results import WRONG, Key, LastResult, LastResults
from contribd.ops.snapshot import IsolatedView, WrongView

KINDS: Final = ("refused", "unanswered", "rejected", "isolated", "silent")
"""In the order in which they are told."""


class Silence(NamedTuple):
    """When a RIC counts as silent. ``after``: seconds, None for never; ``heard_since``: from when on records would have
    been seen (microseconds since 1970), None where they are not just now; ``busy``: whether prices of a service and RIC
    wait."""

    after: float | None
    heard_since: int | None
    busy: Callable[[str, str], bool]


class WrongNow(NamedTuple):
    """``shown``: a bounded number of them; ``counts``: how many there are, by kind, every kind there."""

    shown: tuple[WrongView, ...]
    counts: tuple[tuple[str, int], ...]


def wrong_now(last: LastResults, isolated: Sequence[IsolatedView], silence: Silence, wall: int) -> WrongNow:
    """``isolated``: those that are known by name. ``wall``: microseconds since 1970."""
    alone = [each for each in isolated if (each.ric.encode(), each.service.encode()) not in last.wrong]
    silent = _silent(last, silence, wall)
    counts = Counter(WRONG[each.status] for each in last.wrong.values())
    counts.update({"isolated": len(alone), "silent": len(silent)})
    shown = [*_by_answer(last), *map(_by_itself, alone), *(_silence(*each) for each in silent[:MAX_SHOWN])]
    shown.sort(key=lambda each: KINDS.index(each.what))
    return WrongNow(tuple(shown[:MAX_SHOWN]), tuple((kind, counts[kind]) for kind in KINDS))


def _by_answer(last: LastResults) -> Iterator[WrongView]:
    """Those that have just become wrong first."""
    for key, wrong in islice(reversed(last.wrong.items()), MAX_SHOWN):
        if (found := last.get(key)) is not None:
            yield _view(key, found, WRONG[wrong.status], wrong.since, result_in(wrong.value))


def _by_itself(isolated: IsolatedView) -> WrongView:
    ended = f", {isolated.sessions_ended} sessions ended by its posts" if isolated.sessions_ended else ""
    text = f"posted by itself ({isolated.state}{ended})"
    return WrongView(isolated.ric, isolated.service, "isolated", text=text)


def _silent(last: LastResults, silence: Silence, wall: int) -> list[tuple[Key, LastResult]]:
    """Those that have been silent longest first."""
    if silence.after is None or silence.heard_since is None:
        return []
    limit = wall - round(silence.after * 1e6)
    if silence.heard_since >= limit:
        return []
    found = [
        (key, each)
        for key, each in last.older_than(limit)
        if key not in last.wrong and not silence.busy(key[1].decode(), key[0].decode())
    ]
    return sorted(found, key=lambda each: each[1].at)


def _silence(key: Key, found: LastResult) -> WrongView:
    mapping = result_in(found.value).get("mapping")
    return _view(key, found, "silent", found.at, {"mapping": mapping})


def _view(key: Key, found: LastResult, what: str, since: int, said: Mapping[str, Any]) -> WrongView:
    """``said``: as far as a result says something of it."""
    return WrongView(
        ric=key[0].decode(),
        service=key[1].decode(),
        what=what,
        since=since / 1e6,
        last_record_at=found.at / 1e6,
        source=source_of(result_in(found.value)),
        mapping=said.get("mapping"),
        code=said.get("code"),
        text=said.get("text"),
        hint=said.get("hint"),
    )


def result_in(value: bytes) -> Mapping[str, Any]:
    """A result as it was written."""
    decoded: dict[str, Any] = msgspec.json.decode(value)
    return decoded


def source_of(result: Mapping[str, Any]) -> str | None:
    """``topic:partition:offset`` of its record; None for a withdrawal, which has none."""
    source = result.get("source")
    return None if source is None else f"{source['topic']}:{source['partition']}:{source['offset']}"
