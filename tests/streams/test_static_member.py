"""A static member that is stopped in order leaves its group, so that its prices do not wait for the session timeout."""

import asyncio
from typing import Any

import pytest
from kafka.coordinator.base import MemberState
from kafka.coordinator.consumer import ConsumerCoordinator

from contribd.streams.client.consumer_faults import leave_though_static


class Manager:
    """Notes what the coordinator sends."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, request: Any, node_id: int) -> None:
        del node_id
        self.sent.append(request)

    async def wait_for(self, _future: object, _timeout_ms: float | None) -> Any:
        return type("Answer", (), {"error_code": 0, "members": []})()


class Generation:
    member_id = "member"

    def has_member_id(self) -> bool:
        return True


@pytest.mark.parametrize("asked", [False, True])
def test_a_static_member_leaves_only_where_it_is_asked_to(asked: bool) -> None:
    coordinator = ConsumerCoordinator.__new__(ConsumerCoordinator)
    coordinator.config = {"group_instance_id": "host-1", "group_id": "g", "api_version": (4, 0)}
    coordinator._manager = manager = Manager()
    coordinator._generation = Generation()
    coordinator.state = MemberState.STABLE
    coordinator.coordinator_unknown = lambda: False
    coordinator.coordinator_id = 1
    coordinator.reset_generation = lambda: None
    if asked:
        leave_though_static(type("Consumer", (), {"_coordinator": coordinator})())
    asyncio.run(coordinator.maybe_leave_group_async())
    assert [request.members[0].group_instance_id for request in manager.sent] == (["host-1"] if asked else [])
