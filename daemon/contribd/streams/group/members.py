"""Who is in a consumer group, as the group itself tells."""

from typing import Any

from kafka.errors import GroupIdNotFoundError, KafkaError


class Unseen(KafkaError):  # type: ignore[misc]  # the client has no types
    """A group that cannot be looked at."""


def members(admin: Any, group: str) -> list[dict[str, Any]]:
    """The members of a group, none where there is no such group; ``admin``: a ``KafkaAdminClient``.

    Raises KafkaError; Unseen where the group's own answer is an error.
    """
    # What we may do with the group is not asked for, and kafka-python (3.0.12) knows not every answer to it.
    admin._process_acl_operations = lambda described: described  # noqa: SLF001
    found = admin.describe_groups([group])[group]
    if found["error"] and GroupIdNotFoundError.__name__ not in found["error"]:
        raise Unseen(f"group {group} cannot be looked at: {found['error']}")
    listed: list[dict[str, Any]] = found["members"]
    return listed
