"""A reload sets up the log, which is the process's: afterwards it is as it was."""

import io

import pytest
from tests.ops.conftest import written

__all__ = ["written"]


@pytest.fixture(autouse=True)
def _log_left_as_it_was(written: io.StringIO) -> None:
    """For every test here."""
