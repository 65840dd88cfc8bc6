"""Brokers that are all at other addresses, behind a bootstrap address that stays: found again without a restart."""

from collections.abc import Callable

from tests.integration.rigs.broker_rig import KafkaBroker
from tests.integration.rigs.tcp_proxy import TcpProxy
from tests.streams.stream_suite import LEAVES_SOCKETS, GroupProcess, SinkProcess, Topics, eventually, no_member

from contribd.engine.events import Assigned
from contribd.engine.records.commit_metadata import Commit

pytestmark = LEAVES_SOCKETS


def test_prices_are_consumed_and_results_written_where_all_brokers_have_moved(
    own_kafka: KafkaBroker, new_proxy: Callable[[int], TcpProxy]
) -> None:
    entry, topics = new_proxy(own_kafka.port), Topics(own_kafka)
    settings = topics.settings(bootstrap=f"localhost:{entry.port}", session_timeout=30.0)
    member, writer = GroupProcess(settings), SinkProcess(settings)
    member.wait_for(topics.partition())
    topics.produce(b"before")
    eventually(lambda: member.values == [b"before"], "a record")
    assert writer.write(1, [b"1"], {topics.partition(): Commit(1, "")}, no_member())
    own_kafka.stop()
    own_kafka.move()
    entry.aim(own_kafka.port)
    own_kafka.start()
    topics.bootstrap = own_kafka.bootstrap
    topics.produce(b"after")
    eventually(lambda: member.values == [b"before", b"after"], "a record of the brokers where they are now")
    assert len(member.of(Assigned)) == 1
    number = 2
    while not writer.write(number, [b"2"], {topics.partition(): Commit(2, "")}, no_member()):
        number += 1
    assert topics.read(topics.results) == [b"1", b"2"]
    eventually(lambda: member.source.reasons() == [], "no reason left not to be ready")
    writer.stop()
    member.leave()
