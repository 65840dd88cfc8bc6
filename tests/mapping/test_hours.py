"""Hours of a market: time zones, midnight, the two days on which the clocks change, holidays."""

from datetime import UTC, date, datetime

import pytest

from contribd.mapping.hours import BadHours, read_hours
from contribd.mapping.zones import NoZone

LONDON = "Mon-Fri 07:00-18:00 Europe/London"


def is_open(text: str | tuple[str, ...], at: str, *holidays: str) -> bool:
    texts = (text,) if isinstance(text, str) else text
    wall = round(datetime.fromisoformat(at).timestamp() * 1_000_000)
    return read_hours(texts, frozenset(map(date.fromisoformat, holidays))).outside(wall) is None


@pytest.mark.parametrize(
    ("text", "at", "is_within"),
    [
        (LONDON, "2026-11-30T07:00:00+00:00", True),
        (LONDON, "2026-11-30T06:59:59.999999+00:00", False),
        (LONDON, "2026-11-30T17:59:59.999999+00:00", True),
        (LONDON, "2026-11-30T18:00:00+00:00", False),
        (LONDON, "2026-11-29T12:00:00+00:00", False),  # a Sunday
        ("07:00-18:00 Europe/London", "2026-11-29T12:00:00+00:00", True),
        (LONDON, "2026-07-01T06:00:00+00:00", True),  # 07:00 there in summer
        (LONDON, "2026-07-01T05:59:59+00:00", False),
        (LONDON, "2026-07-01T17:00:00+00:00", False),
        # On 25 October 2026 clocks there go from 02:00 back to 01:00, at 01:00 UTC.
        ("01:30-02:30 Europe/London", "2026-10-25T00:29:00+00:00", False),
        ("01:30-02:30 Europe/London", "2026-10-25T00:30:00+00:00", True),
        ("01:30-02:30 Europe/London", "2026-10-25T01:15:00+00:00", False),  # 01:15 for the second time
        ("01:30-02:30 Europe/London", "2026-10-25T01:30:00+00:00", True),
        ("01:30-02:30 Europe/London", "2026-10-25T02:29:59+00:00", True),
        ("01:30-02:30 Europe/London", "2026-10-25T02:30:00+00:00", False),
        # On 29 March 2026 they go from 01:00 to 02:00, at 01:00 UTC.
        ("00:30-01:30 Europe/London", "2026-03-29T00:59:59+00:00", True),
        ("00:30-01:30 Europe/London", "2026-03-29T01:00:00+00:00", False),
        ("Sun-Thu 22:00-06:00 America/New_York", "2026-11-30T03:00:00+00:00", True),  # Sunday 22:00
        ("Sun-Thu 22:00-06:00 America/New_York", "2026-11-29T03:00:00+00:00", False),  # Saturday 22:00
        ("Sun-Thu 22:00-06:00 America/New_York", "2026-12-04T10:59:59+00:00", True),  # Friday 05:59:59
        ("Sun-Thu 22:00-06:00 America/New_York", "2026-12-04T11:00:00+00:00", False),
        ("Sun-Thu 22:00-06:00 America/New_York", "2026-11-29T10:00:00+00:00", False),  # Sunday 05:00
        ("Mon,Wed 00:00-24:00 UTC", "2026-12-02T23:59:59+00:00", True),
        ("Mon,Wed 00:00-24:00 UTC", "2026-12-01T12:00:00+00:00", False),
        ("sat-mon 10:00-11:00 UTC", "2026-11-29T10:30:00+00:00", True),
    ],
)
def test_a_moment_is_within_the_hours_as_a_clock_there_shows(text: str, at: str, is_within: bool) -> None:
    assert is_open(text, at) is is_within


def test_within_one_of_several_is_enough() -> None:
    both = ("09:00-11:00 UTC", "13:00-15:00 UTC")
    assert [is_open(both, f"2026-11-30T{hour:02}:30:00+00:00") for hour in (8, 10, 12, 14)] == [
        False,
        True,
        False,
        True,
    ]


def test_a_holiday_is_a_date_there() -> None:
    assert not is_open("00:00-24:00 Asia/Tokyo", "2026-12-31T15:00:00+00:00", "2027-01-01")
    assert is_open("00:00-24:00 Asia/Tokyo", "2026-12-31T14:59:59+00:00", "2027-01-01")
    assert not is_open("22:00-06:00 UTC", "2027-01-01T05:00:00+00:00", "2027-01-01")
    assert is_open("22:00-06:00 UTC", "2027-01-02T05:00:00+00:00", "2027-01-01")


def test_what_is_outside_says_when_it_came_there() -> None:
    wall = round(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp() * 1_000_000)
    told = read_hours((LONDON,)).outside(wall)
    assert told == f"arrived on Sun 2026-11-29 at 12:00:00 (Europe/London); hours are {LONDON}"
    monday = wall + 86_400_000_000
    assert read_hours((LONDON,), frozenset({date(2026, 11, 30)})).outside(monday) == (
        "arrived on Mon 2026-11-30 at 12:00:00 (Europe/London); 2026-11-30 is a holiday"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "07:00-18:00",
        "7:00-18:00 UTC",
        "Mon-Fri UTC",
        "07:00-25:00 UTC",
        "07:60-08:00 UTC",
        "07:00-07:00 UTC",
        "24:00-06:00 UTC",
        "Mon-Wed-Fri 07:00-18:00 UTC",
        "Day 07:00-18:00 UTC",
        "Mon 07:00-18:00 UTC x",
    ],
)
def test_what_gives_no_hours_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(BadHours) as caught:
        read_hours((text,))
    assert caught.value.cure.startswith("Write ")


def test_a_zone_that_is_none_is_told() -> None:
    with pytest.raises(NoZone):
        read_hours(("07:00-18:00 Europe/Londn",))
