"""Up to where records are verified, and why no further."""

import pytest

from contribd.audit.kafka_evidence import end_of


@pytest.mark.parametrize(
    ("asked", "committed", "expected"),
    [
        (10, None, (2, "the group has committed no offset")),
        (10, 7, (7, "the group has settled so far")),
        (10, 1, (2, "the group has settled so far")),
        (8, 10, (8, "all that was asked for")),
        (10, 10, (10, "the end of the log")),
        (10, 12, (10, "the end of the log; the group has settled up to 12: what it has settled behind is gone")),
    ],
)
def test_the_end_has_a_reason(asked: int, committed: int | None, expected: tuple[int, str]) -> None:
    assert end_of(2, asked, 10, committed) == expected
