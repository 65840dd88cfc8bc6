"""What the tests of speed have apart."""

import pytest
from tests.schemas import ENCODE

from contribd.engine.records.result_encoder import ResultEncoder


@pytest.fixture(autouse=True)
def _as_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted is what the daemon does, and nothing that tests look at beside."""
    monkeypatch.setattr(ResultEncoder, "encode", ENCODE)
