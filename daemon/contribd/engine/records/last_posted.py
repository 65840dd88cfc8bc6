"""What was last posted for each RIC and service, as far as publish rules and ``@last`` ask for it.

Theory of operation
===================

Kept of whom. Of the RICs that a mapping posts to which has publish rules or reads ``@last``, from its first post on. A
post of any other mapping to the same RIC and service counts then, too. Of more than ``MAX_LAST_POSTED`` RICs the one
posted longest ago is forgotten.

| what happened to a post | what is known then |
|---|---|
| sent | its values are the last: only one post of an instrument is in flight |
| Ack | the same, for sure |
| NAK, Error | what was before it, as if it had not been made |
| no answer, or the session ended | its values, which may have arrived: the fields are ``unsure`` |
| it withdraws the quote | nothing |

A Refresh replaces the item, so nothing of before is left. What was blanked is known to be blank.

Not known: what was posted before this process had the partition, unless it was read from the results topic
(``restore``); what others post to the same RIC, which comes through their partitions too. Where one of the partitions
that a RIC came through is revoked, it is forgotten: the next owner posts to it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from contribd.engine.clock import Now
from contribd.engine.limits import MAX_LAST_POSTED
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import FieldValue, PostType
from contribd.mapping.publish import UNKNOWN, Last
from contribd.mapping.scope import LastView


class Image(msgspec.Struct, frozen=True):
    """The values last posted; ``sent``: monotonic seconds of the last post."""

    fields: dict[str, FieldValue]
    sent: float
    unsure: frozenset[str] = frozenset()

    def after(self, type_: PostType, fields: dict[str, FieldValue], mono: float) -> "Image":
        """What it is once these are posted, and accepted."""
        if type_ is PostType.REFRESH:
            return Image(fields, mono)
        return Image({**self.fields, **fields}, mono, self.unsure.difference(fields))


class KnownPost(NamedTuple):
    """What the results topic tells of a RIC's last posts. ``sent_at``: microseconds since 1970, UTC."""

    fields: dict[str, FieldValue]
    sent_at: int
    partitions: frozenset[Partition]
    """That its prices came through."""


class _Posted(msgspec.Struct):
    """Of one RIC and service."""

    image: Image
    before: Image | None
    """What it was before the post in flight; None: nothing was known."""
    in_flight: Collection[str] | None
    """The fields of the post in flight; None: there is none."""
    trackers: tuple[OffsetTracker, ...]
    """The partitions that its prices came through."""


class LastPosted:
    """Knows it for the instruments of this process."""

    def __init__(self, most: int = MAX_LAST_POSTED) -> None:
        self.active = False
        """Whether any mapping asks for it: where none does, nothing else here need be called."""
        self._most = most
        self._posted: dict[Key, _Posted] = {}
        self._forgotten: dict[Key, float] = {}
        """RICs of which nothing is known any more since then (monotonic seconds): what is older does not count."""

    def __len__(self) -> int:
        return len(self._posted)

    def asked_by(self, mapper: Mapper) -> LastView | None:
        """Records are mapped by these mappings from now on: what they may ask; None where they ask nothing."""
        if mapper.publishes:
            self.active = True
        return self.view if mapper.reads_last else None

    def last(self, key: Key, mono: float) -> Last:
        """What is known of a RIC."""
        found = self._posted.get(key)
        if found is None:
            return UNKNOWN
        image = found.image
        return Last(image.fields, max(0.0, mono - image.sent), image.unsure)

    def view(self, service: str, ric: str) -> Mapping[str, FieldValue]:
        """What ``@last`` names."""
        found = self._posted.get((service, ric))
        return {} if found is None else found.image.fields

    def sent(
        self,
        key: Key,
        type_: PostType,
        fields: dict[str, FieldValue],
        trackers: Iterable[OffsetTracker],
        mono: float,
        *,
        remember: bool,
    ) -> None:
        """A post is in flight. ``remember``: whether its mapping asks for what was last posted."""
        found = self._posted.pop(key, None)  # and put in again behind the others
        if found is None:
            if not remember:
                return
            found = _Posted(Image(fields, mono), None, fields.keys(), ())
        else:
            found.before, found.in_flight = found.image, fields.keys()
            found.image = found.image.after(type_, fields, mono)
        found.trackers = tuple(dict.fromkeys((*found.trackers, *trackers)))
        self._posted[key] = found
        if len(self._posted) > self._most:
            del self._posted[next(iter(self._posted))]

    def answered(self, key: Key, *, accepted: bool | None) -> None:
        """The post in flight was accepted, or refused; None: it got no answer, and may have arrived."""
        found = self._posted.get(key)
        if found is None or found.in_flight is None:
            return
        fields, before = found.in_flight, found.before
        found.in_flight = found.before = None
        if accepted is None:
            image = found.image
            found.image = Image(image.fields, image.sent, image.unsure.union(fields))
        elif not accepted:
            if before is None:
                del self._posted[key]
            else:
                found.image = before

    def forget(self, key: Key, mono: float) -> None:
        """Nothing is known of this RIC any more."""
        self._posted.pop(key, None)
        self._forgotten.pop(key, None)
        self._forgotten[key] = mono
        if len(self._forgotten) > self._most:
            del self._forgotten[next(iter(self._forgotten))]

    def restore(self, posts: Mapping[Key, KnownPost], trackers: Mapping[Partition, OffsetTracker], now: Now) -> None:
        """What a former owner had posted, where nothing newer is known.

        A former owner that was killed may have posted more, whose results were not written: each field is unsure.
        """
        self.active = True
        for key, known in posts.items():
            sent = now.mono - max(0, now.wall - known.sent_at) / 1e6
            found = self._posted.get(key)
            newest = self._forgotten.get(key, float("-inf")) if found is None else found.image.sent
            if newest >= sent or not known.partitions <= trackers.keys() or len(self._posted) >= self._most:
                continue
            if found is None or found.in_flight is None:
                came_through = tuple(trackers[each] for each in sorted(known.partitions))
                self._posted[key] = _Posted(
                    Image(known.fields, sent, frozenset(known.fields)), None, None, came_through
                )

    def revoked(self, trackers: Collection[OffsetTracker]) -> None:
        """Others post what comes through these partitions."""
        gone = [key for key, found in self._posted.items() if any(each in trackers for each in found.trackers)]
        for key in gone:
            del self._posted[key]
