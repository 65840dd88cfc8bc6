"""Members of the group that are no contribd of these settings: prices of the partitions they are given go nowhere.

A contribd is known by its client's name, which begins with ``contribd-`` whatever ``kafka.client`` says, and one of
these settings by the topics it has subscribed to. Every member that comes or goes makes a new generation of the group:
whoever is in it is asked for after each, in the background, and again where that could not be told.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from contribd.ops.log import get_logger
from contribd.streams.client.port import GroupMember, Kafka
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.settings import CLIENT_PREFIX, KafkaSettings
from contribd.streams.runtime import Runtime

SETTLE_SECONDS: Final = 2.0
"""From a new generation to the question: until then, some members may still be joining."""

AGAIN_SECONDS: Final = 10.0
"""Until a question that nobody answered, or while members were joining, is asked again."""

_log = get_logger("source")


def are_all_there(members: Iterable[GroupMember]) -> bool:
    """Whether the group tells what each has subscribed to: it does not while members are joining."""
    return all(member.topics is not None for member in members)


def strangers(members: Iterable[GroupMember], settings: KafkaSettings) -> list[str]:
    """What is wrong with each member that is no contribd of these settings, in a sentence."""
    return [text for member in members if (text := _stranger(member, settings))]


def _stranger(member: GroupMember, settings: KafkaSettings) -> str | None:
    group, ours = settings.group_id, sorted(settings.prices)
    name = member.client_id or "one whose client.id is not told"
    who = f"consumer group {group} has a member that is no contribd of these settings: {name}"
    where = f" at {member.host}" if member.host else ""
    # Some brokers tell no client.id, of members that join or leave least of all: then it is known by its topics alone.
    if member.client_id and not member.client_id.startswith(CLIENT_PREFIX):
        return f"{who}{where} is another application. Prices of the partitions it is given are not contributed: {_CURE}"
    if (member.topics or (member.client_id and member.topics is not None)) and sorted(member.topics) != ours:
        reads = ", ".join(sorted(member.topics)) or "nothing"
        return f"{who}{where} consumes {reads} and not {', '.join(ours)}: {_CURE}"
    return None


_CURE: Final = "stop it, or give one of the two another group (kafka.group_id)"


class Strangers:
    """Of our group. Belongs to the consumer's thread, but for ``warnings``."""

    def __init__(self, settings: KafkaSettings, kafka: Kafka, runtime: Runtime) -> None:
        self._settings = settings
        self._kafka = kafka
        self._runtime = runtime
        self._found: tuple[str, ...] = ()
        self._generations = self._told_of = 0
        """How many there were; and which of them the group has told of all its members in."""
        self._look_at = 0.0

    def warnings(self) -> tuple[str, ...]:
        """One sentence for each."""
        return self._found

    def new_generation(self) -> None:
        """The group has other members than before, perhaps."""
        self._generations += 1
        self._look_at = self._runtime.mono() + SETTLE_SECONDS

    def follow(self) -> None:
        """After each poll: asks where it is time to."""
        if self._told_of != self._generations and self._runtime.mono() >= self._look_at:
            self._look_at = self._runtime.mono() + AGAIN_SECONDS
            self._runtime.background("members", self._look)

    def _look(self) -> None:
        generation = self._generations
        with suppress(*FAILURES):  # what keeps the group from being asked is told by others
            admin = self._kafka.admin()
            try:
                members = admin.members(self._settings.group_id)
            finally:
                admin.close()
            if members and are_all_there(members):
                self._told_of = generation
                self._tell(tuple(strangers(members, self._settings)))

    def _tell(self, found: tuple[str, ...]) -> None:
        """Each once, and once when it has gone."""
        for text in found:
            if text not in self._found:
                _log.warning(text)
        if self._found and not found:
            _log.info("every member of the group is a contribd of these settings again", group=self._settings.group_id)
        self._found = found
