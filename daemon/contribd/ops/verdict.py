"""What the daemon does, in one of five words and one sentence: the same in /status, on the page and for systemd.

A pure function of the snapshot. What comes first wins: a daemon that stops does not say why it cannot contribute, one
that cannot does not say what is wrong with single RICs.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from contribd.engine.states import SessionState
from contribd.ops.snapshot import PauseView, Snapshot

SHOWN: Final = 3
"""Names in one sentence: of more it is said how many."""


class VerdictState(StrEnum):
    """What the daemon does. degraded: it contributes, but not all; not contributing: nothing can be posted, or no
    result be written, and nobody ordered it so."""

    CONTRIBUTING = "contributing"
    DEGRADED = "degraded"
    PAUSED = "paused"
    NOT_CONTRIBUTING = "not contributing"
    STOPPING = "stopping"


class Verdict(NamedTuple):
    """``reason`` is one sentence, which begins with the state; ``since``: Unix seconds, of the state."""

    state: VerdictState
    reason: str
    since: float


def verdict(now: Snapshot, stalled: Sequence[str] = ()) -> Verdict:
    """``stalled``: the threads that make no progress."""
    state, reason = _judged(now, stalled)
    known, since = now.state_since
    return Verdict(state, reason, since if state == known else now.taken_at)


def _judged(now: Snapshot, stalled: Sequence[str]) -> tuple[VerdictState, str]:
    if now.stopping:
        return VerdictState.STOPPING, f"stopping: {_left(now)}"
    pauses = [_paused(pause) for pause in now.pauses if pause.everything]
    if faults := [*stalled_faults(stalled), *_faults(now)]:
        return VerdictState.NOT_CONTRIBUTING, f"not contributing: {'; '.join([*faults, *pauses])}"
    if pauses:
        return VerdictState.PAUSED, "; ".join(pauses)
    if limits := list(_limits(now)):
        return VerdictState.DEGRADED, f"degraded: {'; '.join(limits)}"
    return VerdictState.CONTRIBUTING, f"contributing to {_where(now)}"


def stalled_faults(stalled: Sequence[str]) -> list[str]:
    """Threads that make no progress, each in a sentence."""
    return [f"the {name} thread makes no progress" for name in stalled]


def _left(now: Snapshot) -> str:
    if now.outstanding:
        return f"waiting for the answers to {_count(now.outstanding, 'post')}"
    return "writing the last results and leaving the consumer group"


# Nothing is contributed


def _faults(now: Snapshot) -> Iterator[str]:
    yield from now.hold_ups
    if now.partitions and now.blocked >= len(now.partitions):
        yield from now.unreadable
    if not now.partitions and not now.hold_ups:
        yield "the consumer group has assigned no partition to this instance"
    if session := session_faults(now):
        yield from session
    elif now.services and not any(up for _, up in now.services):
        yield from service_faults(now)


def session_faults(now: Snapshot) -> list[str]:
    """Why nothing at all may be posted in this session, in a sentence; empty: something may."""
    session = now.session
    ads = short_name(session.endpoint, session.endpoints)
    if not session.up:
        return [_no_session(now, ads)]
    if session.moving:
        return [f"leaving {ads} once its answers are in"]
    if not session.takes_posts:
        return [f"{ads} says that it takes no posts (SupportOMMPost 0)"]
    if now.directory.awaited:
        return [f"waiting for the source directory of {ads}"]
    return []


def _no_session(now: Snapshot, ads: str) -> str:
    session = now.session
    if session.last_failure is None:
        doing = {SessionState.CONNECTING: "connecting", SessionState.LOGGING_IN: "logging in"}
        return f"{doing.get(SessionState(session.state), 'about to connect')} to {ads}"
    every = " or ".join(short_name(each, session.endpoints) for each in session.endpoints)
    return f"no session with {every}: {session.last_failure}"


def service_faults(now: Snapshot) -> list[str]:
    """Services posted to that are not Up, each in a sentence."""
    ads = short_name(now.session.endpoint, now.session.endpoints)
    unknown = dict(now.directory.unknown)
    sentences = [
        f"service {name} is unknown to {ads}, which has {unknown[name]}"
        if name in unknown
        else f"service {name} is Down at {ads}"
        for name, up in now.services
        if not up
    ]
    return _shortened(sentences, "services")


# Not all is


def _limits(now: Snapshot) -> Iterator[str]:
    yield from service_faults(now)
    yield from now.unreadable
    for pause in now.pauses:
        yield _paused(pause)
    for what, count in now.wrong_counts:
        if count:
            names = _names([each.ric for each in now.wrong if each.what == what], count)
            yield f"{_count(count, 'RIC')} {what}{names}"
    yield from now.warnings


def _paused(pause: PauseView) -> str:
    what = "" if pause.everything else f"{pause.what} "
    return f"{what}paused by {pause.who}: {pause.reason}"


# All is


def _where(now: Snapshot) -> str:
    ads = short_name(now.session.endpoint, now.session.endpoints)
    if not now.directory.known:
        return f"{ads}, which does not tell of its services"
    names = [name for name, _ in now.services]
    if not names:
        return ads
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{ads}, {', '.join(names[:SHOWN])}{more} Up"


# Words


def short_name(endpoint: str | None, endpoints: Sequence[str]) -> str:
    """The host of an endpoint; with its port where another endpoint has the same host."""
    if endpoint is None:
        return "no endpoint"
    parts = urlsplit(endpoint)
    host = parts.hostname or endpoint
    twins = [each for each in endpoints if each != endpoint and urlsplit(each).hostname == parts.hostname]
    return f"{host}:{parts.port}" if twins and parts.port else host


def _names(names: Sequence[str], count: int) -> str:
    """In brackets, some of ``count``."""
    if not names:
        return ""
    more = ", …" if count > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _shortened(sentences: list[str], what: str) -> list[str]:
    more = [f"and {len(sentences) - SHOWN} more {what}"] if len(sentences) > SHOWN else []
    return [*sentences[:SHOWN], *more]
