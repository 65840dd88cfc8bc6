"""What an instrument, its prices and their partitions may be at the same time, looked up after every event."""

from collections.abc import Iterator

from contribd.engine.engine import Engine
from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.states import JOINT_STATES, InstrumentState, PriceState, TrackerState

POSTABLE = (TrackerState.TAKING, TrackerState.STOPPING)


def assert_allowed(engine: Engine) -> None:
    """Every instrument's head is in the table, and what waits behind it is neither in flight nor others' to post."""
    posts = {post.instrument.key: post for post in engine.contributor.in_flight}
    entries = (*engine.outbox._taken, *engine.outbox._pending)
    written = {instrument.key: settlement.tracker for settlement, instrument in entries if instrument is not None}
    for instrument in engine.contributor.instruments:
        for price, tracker in heads(instrument, posts, written):
            found = (instrument.state, price, tracker.state)
            assert found in JOINT_STATES, found
        for waiting in instrument.waiting:
            assert waiting.state is not PriceState.IN_FLIGHT
            assert waiting.state is PriceState.SETTLED or waiting.tracker.state in POSTABLE


def heads(
    instrument: Instrument, posts: dict[tuple[str, str], InFlightPost], written: dict[tuple[str, str], OffsetTracker]
) -> Iterator[tuple[PriceState, OffsetTracker]]:
    """The prices of the post in flight, the one whose result is not durable, or the next that waits."""
    if instrument.state is InstrumentState.IN_FLIGHT:
        yield from ((price.state, price.tracker) for price in posts[instrument.key].group)
    elif instrument.state is InstrumentState.COMMITTING:
        yield PriceState.SETTLED, written[instrument.key]
    else:
        waiting = (price for price in instrument.waiting if price.state is not PriceState.SETTLED)
        yield from ((price.state, price.tracker) for price in (*waiting,)[:1])
