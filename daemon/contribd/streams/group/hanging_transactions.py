"""Transactions that members of the group left open when they died.

The group tells nobody the offsets of a transaction that is open, and readers of the results get nothing that was
written after it began. The broker ends it at its timeout, or up to ten seconds later. Whoever opens a producer of the
same transactional.id ends it at once (KIP-98), as the next run of the dead one would: so its successors do that.

A transaction is a dead one's where the process it is named after is no member of its group, by the word of a
coordinator that knows us (see ``fencing``). A member that was given up while it lives cannot commit its own any more;
it is fenced, and opens a new producer.
"""

from typing import Final

from contribd.ops.log import get_logger
from contribd.streams.client.errors import GroupAuthorizationFailedError, GroupUnseen
from contribd.streams.client.port import Admin, Kafka
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.settings import KafkaSettings, client_id, first_line
from contribd.streams.runtime import Runtime

PAUSE: Final = 1.0
"""Seconds between two looks: ending one takes the broker a moment."""

ONCE_IN: Final = 120.0
"""Seconds. None is ended more often by one process: whoever opens another one is not dead, and would take us for
another of its name (``transaction.FENCES``)."""

_OFFSETS_TOPIC: Final = "__consumer_offsets"

_log = get_logger("source")


class HangingTransactions:
    """Looks in the background, which may wait for brokers that are away, one look at a time."""

    def __init__(self, kafka: Kafka, settings: KafkaSettings, runtime: Runtime) -> None:
        self._kafka = kafka
        self._settings = settings
        self._runtime = runtime
        self._is_looking = False
        self._next = float("-inf")
        self._ended: dict[str, float] = {}
        self._complaint = ""

    def end(self, member_id: str) -> None:
        """Ends the open transactions of dead members of our group, in the background; at most one look a ``PAUSE``.

        Where the broker is too old to list transactions (before 3.0), or does not let us (that takes Describe on the
        groups and transactional.ids that begin with the group's name, and Write on the latter), the broker ends them
        at their timeout. ``member_id``: ours in the group.
        """
        if self._is_looking or self._runtime.mono() < self._next:
            return
        self._is_looking = True
        self._runtime.background("hanging", lambda: self._look(member_id))

    def _look(self, member_id: str) -> None:
        try:
            self._try(member_id)
        finally:
            self._is_looking = False

    def _try(self, member_id: str) -> None:
        try:
            self._end(member_id)
        except FAILURES as error:
            if (text := first_line(error)) != self._complaint:
                _log.warning("cannot end what dead members left open: waiting for the broker to do it", error=text)
            self._complaint = text
        else:
            self._complaint = ""
        self._next = self._runtime.mono() + PAUSE

    def _end(self, member_id: str) -> None:
        admin = self._kafka.admin()
        try:
            dead = [name for name in self._open(admin) if not self._is_alive(admin, name, member_id)]
        finally:
            admin.close()
        for name in dead:
            self._kafka.end_transactions_of(name)
            self._ended[name] = self._runtime.mono()
            _log.warning("ended the transaction that a process left open when it died", transactional_id=name)

    def _open(self, admin: Admin) -> list[str]:
        """The transactional.ids of our group, but our own, that have a transaction open with offsets and results."""
        needed = {_OFFSETS_TOPIC, self._settings.results}
        names = sorted(set(admin.open_transactions()))
        return [name for name in names if self._is_candidate(name) and needed <= admin.topics_of(name)]

    def _is_candidate(self, name: str) -> bool:
        ours = self._settings.group_id in _readings(name) and name != self._settings.transactional_id
        return ours and self._runtime.mono() - self._ended.get(name, float("-inf")) >= ONCE_IN

    def _is_alive(self, admin: Admin, name: str, member_id: str) -> bool:
        """Whether a process that a transactional.id may belong to is a member of its group, or that cannot be known."""
        if not any(member.member_id == member_id for member in admin.members(self._settings.group_id)):
            return True
        return any(_may_have(admin, group, instance) for group, instance in _readings(name).items())


def _readings(name: str) -> dict[str, str]:
    """The instance that a transactional.id names, by each group it may be made of: either may have hyphens in it."""
    parts = name.split("-")
    return {"-".join(parts[:number]): "-".join(parts[number:]) for number in range(1, len(parts))}


def _may_have(admin: Admin, group: str, instance: str) -> bool:
    """Whether a group has an instance for a member, or cannot be looked at."""
    try:
        found = admin.members(group)
    except (GroupAuthorizationFailedError, GroupUnseen):
        return True
    return any(member.client_id == client_id(instance) for member in found)
