"""Faults of kafka-python's consumer that would stall a partition or consume it twice, mended from outside."""

from typing import Any


def release_buffered(consumer: Any) -> None:
    """Lets the consumer get back to records it buffered while their partition was paused; called before each poll.

    kafka-python (3.0.12) looks for them only when it holds no fetched batch, and takes one that is drained for one
    that is held: a partition that was paused in the middle of a batch then delivers nothing more after it is resumed.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - the fault lies there, and there is no other way to it
    if fetcher._next_partition_records is not None and not fetcher._next_partition_records:  # noqa: SLF001
        fetcher._next_partition_records = None  # noqa: SLF001


def finish_join(consumer: Any) -> None:
    """Makes the consumer see a join through that a poll gave up waiting for; called before each poll.

    kafka-python (3.0.12) asks only whether a join is needed. One that began because a topic's partitions changed is not
    needed any more as soon as its assignment is made, and then nobody fetches its outcome: the member stays without
    heartbeats, is expelled, and never learns of it.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - the fault lies there, and there is no other way to it
    if coordinator._join_task is not None:  # noqa: SLF001
        coordinator.rejoin_needed = True


def is_joining(consumer: Any) -> bool:
    """Whether a join is in flight: nothing may then keep the thread from its next poll.

    kafka-python (3.0.12) throws away a join that is through by the time it is polled again, and joins anew: where every
    round between two polls takes as long as a join does, the group would never come to rest.
    """
    return consumer._coordinator._join_task is not None  # noqa: SLF001 - the fault lies there


def lose_what_is_lost(consumer: Any) -> None:
    """Makes a member that was put out of its group tell of its partitions, whenever it learns of it; called once.

    kafka-python (3.0.12) tells at the first try to join only. A member that was in the middle of joining when the group
    gave it up, a broker having died or the process having been stopped meanwhile, joins on as if it still owned them:
    it gets them back, and goes on where it was, although another has consumed them meanwhile (KIP-429: a member whose
    generation is reset has lost all it owned).
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - the fault lies there, and there is no other way to it
    reset = coordinator.reset_generation

    def resetting(*arguments: Any, **more: Any) -> None:
        reset(*arguments, **more)
        coordinator.rejoining = False

    coordinator.reset_generation = resetting


def leave_though_static(consumer: Any) -> None:
    """Lets ``close`` leave the group even where the member is static (``group_instance_id``).

    The client leaves only where the member is dynamic, so that a static one may come back; but one that is stopped in
    order would make its prices wait for the session timeout. Static membership is for those that die.
    """
    consumer._coordinator.is_dynamic_member = lambda: True  # noqa: SLF001 - its close asks nothing else
