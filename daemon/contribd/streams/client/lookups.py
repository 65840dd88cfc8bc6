"""What a cluster says of a group and of topics to those who are no members; asked by an admin client of its own."""

from collections.abc import Mapping
from contextlib import closing

from contribd.engine.records.offsets import Partition
from contribd.streams.client.access import Access
from contribd.streams.client.admin import open_admin
from contribd.streams.client.errors import KafkaError
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings


def group_offsets(access: Access, settings: KafkaSettings, failure: type[Exception]) -> Mapping[Partition, int]:
    """Those of ``settings.group_id``. Raises ``failure``, with what to do."""
    try:
        with closing(open_admin(access, settings)) as admin:
            return admin.committed(settings.group_id)
    except (KafkaError, OSError) as error:
        text = f"the offsets of group {settings.group_id} cannot be read: {explain(error, settings)}"
        raise failure(f"{text}; that needs Describe on the group") from error


def topic_ids(
    access: Access, settings: KafkaSettings, topics: tuple[str, ...], failure: type[Exception]
) -> Mapping[str, str | None]:
    """Kafka's ids of those of the topics that there are; None where the brokers have none. Raises ``failure``."""
    try:
        with closing(open_admin(access, settings)) as admin:
            return {name: topic.topic_id for name, topic in admin.existing_topics(topics).items()}
    except (KafkaError, OSError) as error:
        raise failure(f"topics {', '.join(topics)} cannot be described: {explain(error, settings)}") from error
