"""Topics as a client's metadata shows them."""

import base64
import uuid
from collections.abc import Iterable
from typing import Any, Final

from kafka.errors import UnknownTopicOrPartitionError

from contribd.streams.client.port import SeenTopic, Topics

_NONE: Final = uuid.UUID(int=0)


def topics_of(consumer: Any, names: Iterable[str]) -> Topics:
    """Those of ``names`` that exist, as the client was told last."""
    cluster = consumer._cluster  # noqa: SLF001 - the client shows its metadata a topic at a time, and asks for some
    found = {}
    for name in names:
        partitions = cluster.partitions_for_topic(name)
        if partitions:
            found[name] = SeenTopic(id_text(cluster.topic_id(name)), len(partitions))
        elif name in cluster.unauthorized_topics:
            found[name] = SeenTopic(None, 0)
    return found


def refresh(consumer: Any, seconds: float) -> None:
    """Has the client told of its topics now. Raises KafkaError."""
    future = consumer._cluster.request_update()  # noqa: SLF001 - the client asks from time to time only
    consumer._net.run(consumer._manager.wait_for, future, round(seconds * 1000))  # noqa: SLF001


def existing(described: Iterable[dict[str, Any]]) -> Topics:
    """Those that exist of what an admin client says of topics that were asked for by name."""
    return {
        found["name"]: SeenTopic(_id_text_of(found.get("topic_id")), len(found.get("partitions") or ()))
        for found in described
        if found.get("error_code") != UnknownTopicOrPartitionError.errno
    }


def _id_text_of(described: object) -> str | None:
    """The admin client has it as text, in the way of UUIDs."""
    return None if described is None else id_text(uuid.UUID(str(described)))


def id_text(topic_id: uuid.UUID | None) -> str | None:
    """As Kafka prints it; None where there is none."""
    if topic_id is None or topic_id == _NONE:
        return None
    return base64.urlsafe_b64encode(topic_id.bytes).decode("ascii").rstrip("=")
