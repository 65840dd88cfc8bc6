"""Transactions that members of the group left open when they died.

The group tells nobody the offsets of a transaction that is open, and readers of the results get nothing that was
written after it began. The broker ends it at its timeout, or up to ten seconds later. Whoever opens a producer of the
same transactional.id ends it at once (KIP-98), as the next run of the dead one would: so its heirs do that.

A transaction is a dead one's where the process it is named after is no member of its group, by the word of a
coordinator that knows us (see ``fencing``). A member that was given up while it lives cannot commit its own any more;
it is fenced, and opens a new producer.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import TransactionState
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TransactionalIdNotFoundError,
)

from contribd.ops.log import get_logger
from contribd.streams.client.settings import KafkaSettings, client_id, first_line
from contribd.streams.client.workarounds import discard, opened
from contribd.streams.group.members import Unseen, members

PAUSE: Final = 1.0
"""Seconds between two looks: ending one takes the broker a moment."""

ONCE_IN: Final = 120.0
"""Seconds. None is ended more often by one process: whoever opens another one is not dead, and would take us for
another of its name (``sink.FENCES``)."""

_OFFSETS_TOPIC: Final = "__consumer_offsets"

_log = get_logger("source")


class HangingTransactions:
    """Looks in a thread of its own, which may wait for brokers that are away, one look at a time."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` in monotonic seconds."""
        self._settings = settings
        self._clock = clock
        self._look: threading.Thread | None = None
        self._next = float("-inf")
        self._ended: dict[str, float] = {}
        self._complaint = ""

    def end(self, member_id: str) -> None:
        """Ends the open transactions of dead members of our group, in the background; at most one look a ``PAUSE``.

        Where the broker is too old to list transactions (before 3.0), or does not let us (that takes Describe on the
        groups and transactional.ids that begin with the group's name, and Write on the latter), the broker ends them
        at their timeout. ``member_id``: ours in the group.
        """
        if (self._look is not None and self._look.is_alive()) or self._clock() < self._next:
            return
        self._look = threading.Thread(target=self._try, args=(member_id,), name="hanging", daemon=True)
        self._look.start()

    def wait(self, seconds: float) -> None:
        """Waits for the look that is under way."""
        if self._look is not None:
            self._look.join(seconds)

    def _try(self, member_id: str) -> None:
        try:
            self._end(member_id)
        except (KafkaError, OSError, ValueError) as error:
            if (text := first_line(error)) != self._complaint:
                _log.warning("cannot end what dead members left open: waiting for the broker to do it", error=text)
            self._complaint = text
        else:
            self._complaint = ""
        self._next = self._clock() + PAUSE

    def _end(self, member_id: str) -> None:
        admin = opened(KafkaAdminClient, **self._settings.admin())
        try:
            dead = [name for name in self._open(admin) if not self._is_alive(admin, name, member_id)]
        finally:
            admin.close()
        for name in dead:
            _end_one(self._settings, name)
            self._ended[name] = self._clock()
            _log.warning("ended the transaction that a process left open when it died", transactional_id=name)

    def _open(self, admin: Any) -> list[str]:
        """The transactional.ids of our group, but our own, that have a transaction open with offsets and results."""
        listed = admin.list_transactions(state_filters=[TransactionState.ONGOING.value])
        names = {row.transactional_id for rows in listed.values() for row in rows}
        return [name for name in sorted(names) if self._is_candidate(name) and self._holds_results(admin, name)]

    def _holds_results(self, admin: Any, name: str) -> bool:
        try:
            found = admin.describe_transactions([name])[name]
        except TransactionalIdNotFoundError:
            return False  # it has ended meanwhile
        return {_OFFSETS_TOPIC, self._settings.results} <= {tp.topic for tp in found.topic_partitions}

    def _is_candidate(self, name: str) -> bool:
        ours = self._settings.group_id in _readings(name) and name != self._settings.transactional_id
        return ours and self._clock() - self._ended.get(name, float("-inf")) >= ONCE_IN

    def _is_alive(self, admin: Any, name: str, member_id: str) -> bool:
        """Whether a process that a transactional.id may belong to is a member of its group, or that cannot be known."""
        if not any(member["member_id"] == member_id for member in members(admin, self._settings.group_id)):
            return True
        return any(_may_have(admin, group, instance) for group, instance in _readings(name).items())


def _readings(name: str) -> dict[str, str]:
    """The instance that a transactional.id names, by each group it may be made of: either may have hyphens in it."""
    parts = name.split("-")
    return {"-".join(parts[:number]): "-".join(parts[number:]) for number in range(1, len(parts))}


def _may_have(admin: Any, group: str, instance: str) -> bool:
    """Whether a group has an instance for a member, or cannot be looked at."""
    try:
        found = members(admin, group)
    except (GroupAuthorizationFailedError, Unseen):
        return True
    return any(member["client_id"] == client_id(instance) for member in found)


def _end_one(settings: KafkaSettings, name: str) -> None:
    producer = opened(KafkaProducer, **{**settings.producer(), "transactional_id": name})
    try:
        producer.init_transactions()
    finally:
        discard(producer)
