"""At most so many a second, what went wrong first."""

from contribd.terminal.sampler import Sampler

WRONG, RIGHT = 0, 1


def flood(sampler: Sampler[str], now: float, count: int, kind: str, urgency: int) -> None:
    for number in range(count):
        sampler.add(f"{kind}{number}", kind, urgency, now)


def test_what_comes_more_slowly_than_the_rate_is_all_shown_in_its_order() -> None:
    sampler: Sampler[str] = Sampler(20)
    sampler.add("a", "ACK", RIGHT, 10.0)
    sampler.add("b", "NAK", WRONG, 10.1)
    sampler.add("c", "ACK", RIGHT, 10.2)
    assert sampler.take(10.24) == ["a", "b", "c"]
    assert sampler.left_out.total() == 0
    assert dict(sampler.seen) == {"ACK": 2, "NAK": 1}


def test_no_second_of_the_clock_gets_more_than_the_rate_and_no_quarter_takes_it_all() -> None:
    sampler: Sampler[str] = Sampler(8)
    given = []
    for step in range(80):
        now = 10 + step / 20
        flood(sampler, now, 30, "ACK", RIGHT)
        given += [int(now * 4)] * len(sampler.take(now))
    by_quarter = [given.count(quarter) for quarter in range(40, 56)]
    assert by_quarter == [2] * 16


def test_what_went_wrong_is_chosen_before_what_went_right_and_the_newest_of_it() -> None:
    sampler: Sampler[str] = Sampler(4)
    flood(sampler, 10.8, 10, "ACK", RIGHT)
    flood(sampler, 10.8, 2, "NAK", WRONG)
    assert sampler.take(10.9) == ["ACK8", "ACK9", "NAK0", "NAK1"]


def test_what_has_waited_for_a_second_is_left_out_and_counted() -> None:
    sampler: Sampler[str] = Sampler(4)
    flood(sampler, 10.0, 10, "ACK", RIGHT)
    assert sampler.left_out["ACK"] == 6
    assert sampler.take(10.0) == ["ACK9"]
    assert sampler.take(11.5) == []
    assert sampler.left_out["ACK"] == 9


def test_one_a_second_is_one_a_second() -> None:
    sampler: Sampler[str] = Sampler(1)
    shown = 0
    for step in range(40):
        sampler.add("a", "ACK", RIGHT, 10 + step / 8)
        shown += len(sampler.take(10 + step / 8))
    assert shown == 5


def test_what_came_is_what_is_shown_left_out_or_waits() -> None:
    sampler: Sampler[str] = Sampler(5)
    shown = 0
    for step in range(100):
        flood(sampler, 10 + step / 10, 3, "ACK", RIGHT)
        flood(sampler, 10 + step / 10, 1, "NAK", WRONG)
        shown += len(sampler.take(10 + step / 10))
    sampler.take(1000.0)
    assert sampler.seen.total() == 400 == shown + sampler.left_out.total() + len(sampler.take(1000.9))
