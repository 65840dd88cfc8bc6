"""Whatever the samples are: a clear error, or files on which check and test pass. Nothing in between."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from contribd.cli import app
from contribd.drafting.writing import flow

NAMES = [
    "symbol", "ric", "pair", "id", "bid", "ask", "offerPx", "mid", "last", "price", "bid_size", "volume", "ccy", "ts",
    "quotedAt", "date", "type", "quote", "true", "null", "item", "record", "r", "odd key", "in", "NO", "<<", "@key",
    'q"uo\\te', "a.b", "x[0]", "{y}", "#", "", "\u00e9", "\U0001f600", "\x7f", "\n",
]  # fmt: skip
TEXTS = [
    "EUR=", "VOD.L", "EUR/USD", "ATS_DELETE", "USD", "1.0841", "1e400", "NaN", "99-16+", "2026-11-22T10:15:30Z", "yes",
    "2026-11-22", "10:15", "22.11.2026", "1795342530123", "null", "", " x ", "a: b # c", "- {", "it's",
    "\u00e9", "\x00", "${HOME}",
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from(TEXTS)
    | st.text(max_size=8)
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([1795342530, 1795342530123, 20261122, 10**15, 0])
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=6,
)
prices = st.floats(0.1, 1000) | st.sampled_from(["1.0841", "99-16+"]) | scalars
records = st.fixed_dictionaries(
    {},
    optional={
        "symbol": st.sampled_from(TEXTS) | scalars,
        "bid": prices,
        "ask": prices,
        "quote": st.fixed_dictionaries({}, optional={"bestBid": prices, "askSize": prices}),
        "ts": scalars,
        "type": st.sampled_from(["quote", "trade", 'a"b']),
    },
).flatmap(
    lambda some: st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), values, max_size=5).map(
        lambda more: {**more, **some}
    )
)


def run(*arguments: object, text: str = "") -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)], input=text)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTRIBD_CONFIG", "CONTRIBD_KAFKA", "CONTRIBD_ADS"):
        monkeypatch.delenv(name, raising=False)


@settings(
    max_examples=30,
    deadline=None,
    # A sample that fails is small enough as it is, and each try takes a tenth of a second.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(records, min_size=1, max_size=3))
def test_a_clear_error_or_files_on_which_check_and_test_pass(samples: list[dict[str, Any]]) -> None:
    text = "\n".join(flow(each, strict=True) for each in samples)
    with TemporaryDirectory() as name:
        folder = Path(name) / "desk"
        made = run("init", folder, "--sample", "-", text=text)
        if made.exit_code != 0:
            assert made.exit_code == 1, made.exception
            assert made.stderr.startswith("nothing was written: ")
            assert "fault of contribd" not in made.stderr
            assert not folder.exists()
            return
        config = folder / "contribd.yaml"
        checked, tested = run("check", "-c", config), run("test", "-c", config)
        assert checked.exit_code == 0, checked.stderr
        assert tested.exit_code == 0, tested.stdout
        mapped = run("map", "-c", config, folder / "records.jsonl")
        assert '"Type":"Post"' in mapped.stdout
        assert mapped.stderr.startswith(f"{len(samples)} records")
