"""The source on the embedded broker, which shows; real Kafka proves (tests/integration/test_streams.py).

That broker holds every join back for half the session timeout, in which nothing is done: the cases wait side by side,
each with topics and a group of its own.
"""

import gc
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.streams.embedded import EmbeddedCluster
from tests.streams.stream_suite import LEAVES_SOCKETS, SourceSuite

CASES = [name for name in vars(SourceSuite) if name.startswith("test_")]


class OnEmbedded(SourceSuite):
    keeps_metadata = False


def chosen(items: list[pytest.Item]) -> list[str]:
    """The cases among the tests of this session."""
    mine = [item for item in items if isinstance(item, pytest.Function) and item.function is test_source]
    return [str(item.callspec.params["case"]) for item in mine]


@pytest.fixture(scope="module")
def outcomes(broker: str, request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[None]]]:
    """Every case of this session, running."""
    cases = chosen(request.session.items)
    with ThreadPoolExecutor(len(cases)) as pool:
        yield {case: pool.submit(getattr(OnEmbedded(), case), EmbeddedCluster(broker)) for case in cases}
    gc.collect()  # what failed connections left behind goes with the tests that made them


@LEAVES_SOCKETS
@pytest.mark.parametrize("case", CASES)
def test_source(case: str, outcomes: Mapping[str, Future[None]]) -> None:
    outcomes[case].result()
