"""What was read, and whether it is still what the disk has."""

from pathlib import Path

import pytest

from contribd.config.files_read import changed_since, keeping, read_file


@pytest.mark.parametrize("now", [b"one more", b"on", b"two", b"", None])
def test_a_file_that_is_not_as_it_was_read_is_told(tmp_path: Path, now: bytes | None) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"")
    second.write_bytes(b"one")
    with keeping() as read:
        read_file(first)
        read_file(second)
    assert changed_since(read) is None
    second.unlink() if now is None else second.write_bytes(now)
    assert changed_since(read) == second
