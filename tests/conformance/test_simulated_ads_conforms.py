"""The simulated ADS answers as the cases say; the vendor's provider is put through the same ones."""

from tests.conformance.conformance_client import ConformanceClient, answers
from tests.conformance.conformance_suite import *  # noqa: F403 - every case
from tests.conformance.servers import Start


def test_an_update_of_accepting_requests_alone_is_followed(start: Start) -> None:
    """The vendor's provider refuses to send one."""
    server = start()
    with ConformanceClient(server.url).open() as driver:
        server.control("service refuse")
        driver.until(lambda: not driver.engine.session.up)
        server.control("service accept")
        driver.until(lambda: driver.engine.session.up)
        driver.put("EUR=")
        assert answers(driver.settled()[0]) == ["ACK"]
