"""A call from a simulated process to a broker: it takes its time, and waits while the role is nobody's."""

from tests.simulation.world.environment.fiber import current
from tests.simulation.world.environment.host import Life

from contribd.streams.client.errors import KafkaTimeoutError

REQUEST_SECONDS = 30.0
"""How long a client waits for an answer where nobody says otherwise."""


def call(life: Life, role: str, seconds: float = REQUEST_SECONDS) -> None:
    """There: a request is on its way to the broker that has this role. Raises KafkaTimeoutError after ``seconds``."""
    takes = life.rtt() + life.world.brokers.wait(role)
    current().sleep(min(takes, seconds))
    if takes > seconds:
        raise KafkaTimeoutError(f"no answer within {seconds:g} s")


def answer(life: Life) -> None:
    """And back."""
    current().sleep(life.rtt())
