"""The embedded broker as the suite knows brokers."""

from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import NewTopic


class EmbeddedCluster(NamedTuple):
    """``bootstrap``: ``host:port``."""

    bootstrap: str
    has_static_members: bool = False

    def create_topic(self, name: str, partitions: int = 1) -> str:
        """A new topic; its name."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            admin.close()
        return name
