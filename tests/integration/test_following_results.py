"""Following the results of a topic that is being written: the end of a log is that of its committed transactions."""

import threading

from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.wait import eventually
from tests.results.made_results import result_of

from contribd.results.reader import read_results


def test_following_begins_at_the_end_although_a_transaction_is_open(kafka: KafkaBroker) -> None:
    topic, begun, done, seen = kafka.create_topic(unique("results")), threading.Event(), threading.Event(), list[int]()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=unique("writer"))
    producer.init_transactions()

    def write(offset: int) -> None:
        producer.begin_transaction()
        producer.send(topic, result_of(offset))
        producer.flush()

    def stop() -> bool:
        begun.set()
        return done.is_set()

    def follow() -> None:
        for stored in read_results(kafka.bootstrap, topic, follow=True, stop=stop):
            seen.append(stored.result.record.offset)

    write(1)
    producer.commit_transaction()
    eventually(lambda: list(read_results(kafka.bootstrap, topic)), what="the first result")
    write(2)
    following = threading.Thread(target=follow)
    following.start()
    try:
        assert begun.wait(20)
        producer.commit_transaction()
        eventually(lambda: seen, within=20, what="the second result")
    finally:
        done.set()
        following.join(20)
        producer.close()
    assert seen == [2]
