"""Prices of several partitions that were posted together, when a partition is revoked before their results are durable.

Only instruments that come through more than one partition have such prices.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec.structs import replace

from contribd.engine.records.instruments import Instrument
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.price import Record, Settlement

Entry: TypeAlias = tuple[Settlement, Instrument | None]
"""A settled record, and the instrument that its result frees once it is durable."""


def without(entries: Iterable[Entry], revoked: Callable[[OffsetTracker], bool]) -> tuple[list[Entry], list[Instrument]]:
    """What stays without the partitions for which ``revoked`` holds, and the instruments nobody has to wait for.

    Merged prices stand right before the one that carried them. Where that one is revoked, whoever consumes it next
    knows nothing of the post they were in: the newest of those that stay tells of it instead.
    """
    kept: list[Entry] = []
    freed: list[Instrument] = []
    merged: list[Settlement] = []
    for settlement, instrument in entries:
        stays = not revoked(settlement.tracker)
        if settlement.carried_by is not None:
            if stays:
                merged.append(settlement)
            continue
        if stays:
            kept += [(one, None) for one in merged]
            kept.append((settlement, instrument))
        elif merged:
            kept += _inherited(merged, settlement, instrument)
        elif instrument is not None:
            freed.append(instrument)
        merged = []
    return kept, freed


def _inherited(merged: list[Settlement], carrier: Settlement, instrument: Instrument | None) -> list[Entry]:
    """The newest price becomes the one that was posted; its own attempts so far are those of earlier posts."""
    *older, promoted = merged
    promoted = replace(
        promoted,
        status=carrier.status,
        code=carrier.code,
        text=carrier.text,
        fields=carrier.fields,
        carried_by=None,
        attempts=[*(promoted.attempts or ()), *(carrier.attempts or ())[-1:]],
    )
    return [*((_carried_by(promoted, one), None) for one in older), (promoted, instrument)]


def _carried_by(promoted: Settlement, one: Settlement) -> Settlement:
    price = one.carried_by
    if price is not None:
        price = replace(
            price,
            tracker=promoted.tracker,
            record=Record(promoted.offset, promoted.timestamp, promoted.key, None),
            part=promoted.part,
        )
    return replace(one, carried_by=price)
