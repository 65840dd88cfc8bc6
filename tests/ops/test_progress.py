"""A thread that does not get on is named; one that rests is not."""

from contribd.ops.progress import Progress


def test_a_thread_has_stalled_once_its_allowance_has_passed_without_a_beat() -> None:
    progress = Progress()
    worker = progress.pulse("worker", allowance=5.0, now=100.0)
    progress.pulse("stream", allowance=30.0, now=100.0)
    assert progress.stalled(105.0) == []
    assert progress.stalled(105.1) == ["worker"]
    worker.beat(105.1)
    assert progress.stalled(110.0) == []
    assert progress.stalled(140.0) == ["worker", "stream"]


def test_a_resting_thread_does_not_stall_and_a_beat_ends_its_rest() -> None:
    progress = Progress()
    pulse = progress.pulse("session", allowance=1.0, now=0.0)
    pulse.rest()
    assert progress.stalled(1e9) == []
    pulse.beat(1e9)
    assert progress.stalled(1e9 + 2) == ["session"]
