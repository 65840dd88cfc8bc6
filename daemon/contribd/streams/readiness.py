"""Why a thread of Kafka's does nothing: one sentence, the same for both, in readyz, status and the status line."""


def reasons_not_ready(doing: str, failure: str | None, *, connected: bool) -> list[str]:
    """What keeps ``doing`` from going on: its ``failure``, or that it has reached no broker yet; empty: nothing."""
    if failure is not None:
        return [f"{doing}: {failure}"]
    return [] if connected else [f"{doing}: waiting for Kafka"]
