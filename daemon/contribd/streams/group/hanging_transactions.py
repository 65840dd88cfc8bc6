"""Transactions that dead members of the group left open, and how their successors end them.

Theory of operation
===================

A process that dies within a transaction leaves it open. Until it is over, the coordinator gives nobody the committed
offsets of the partitions in it (KIP-447), so their next owner cannot begin; and a read_committed reader of the results
gets nothing that was written after its start. The broker ends it at the transaction's timeout, or up to ten seconds
later. A restart of the process ends it at once, since ``init_transactions`` for the same transactional.id aborts it
(KIP-98). Where the process does not come back, the new owner of its partitions does the same in its name.

When. Where the group does not say in time what is committed (``start_offsets``). It runs in a thread of its own, which
may wait for brokers that are away; at most one look a ``PAUSE``.

Which. A transaction that is open (KIP-664), has written to our results topic, and whose transactional.id is
``<group>-<instance>`` of our group, but not our own. Both parts may contain hyphens, so every way to split the id is
considered. Whether it holds offsets is not asked: a broker names ``__consumer_offsets`` to those alone who may Describe
that topic, which nobody is given.

Dead for certain. The coordinator must list us as a member, else its state may be an old one (``fencing``). And in no
split may the group have a member of that instance. A group that cannot be looked at counts as having it.

If it lives after all, it was expelled from its group, so it could not have committed: its generation is over. It is
fenced, opens a new producer and goes on. Three fences within ``FENCE_WINDOW`` would make it end (``transaction``), so
one process ends the transactions of one id at most once in ``ONCE_IN`` seconds.
"""

from typing import Final

from contribd.ops.log import get_logger
from contribd.streams.client.errors import GroupAuthorizationFailedError, GroupUnseen
from contribd.streams.client.port import Admin, Kafka
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings, client_id
from contribd.streams.runtime import Runtime

PAUSE: Final = 1.0
"""Seconds between two looks: ending one takes the broker a moment."""

ONCE_IN: Final = 120.0
"""Seconds. None is ended more often by one process: whoever opens another one is not dead, and would take us for
another of its name (``transaction.FENCES``)."""

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
            if (text := explain(error, self._settings)) != self._complaint:
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
        """The transactional.ids of our group, but our own, that have a transaction open with results."""
        results, names = self._settings.results, sorted(set(admin.open_transactions()))
        return [name for name in names if self._is_candidate(name) and results in admin.topics_of(name)]

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
