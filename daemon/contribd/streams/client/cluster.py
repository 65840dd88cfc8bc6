"""The one place where the ports of Kafka get their clients."""

from functools import partial

from contribd.streams.client.access import Access
from contribd.streams.client.admin import open_admin
from contribd.streams.client.consumer import open_asking, open_member
from contribd.streams.client.order_log import open_order_log
from contribd.streams.client.port import Kafka
from contribd.streams.client.producer import end_transactions_of, open_producer
from contribd.streams.client.record_writer import open_record_writer
from contribd.streams.client.result_sources import open_results
from contribd.streams.client.settings import KafkaSettings


def connect(settings: KafkaSettings) -> Kafka:
    """Clients of the cluster that ``settings`` name; nothing is connected before it is asked for."""
    access = Access(settings)
    return Kafka(
        consumer=partial(open_member, access, settings),
        asking=partial(open_asking, access, settings),
        producer=partial(open_producer, access, settings),
        admin=partial(open_admin, access, settings),
        results=partial(open_results, access, settings),
        end_transactions_of=partial(end_transactions_of, access, settings),
        problem=access.problem,
        orders=None if settings.control is None else partial(open_order_log, access, settings),
        writer=partial(open_record_writer, access, settings) if settings.audited else None,
    )
