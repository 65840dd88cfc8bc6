"""Any bytes give a configuration or its problems, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contribd.config.errors import ConfigError, Problem
from contribd.config.load import Inspected, Loaded, inspect, load
from contribd.config.model import Settings

CONFIG = """\
instance: ${HOST:-host}
kafka: {bootstrap_servers: "a:1", prices: [p, q], client: {linger_ms: 5, ssl_password: "${PASSWORD}"}}
ads:
  endpoints: [ws://a:1/W]
  service: S
  auth: {type: password-grant, token_url: https://l/t, client_id: c, username: u, password: p}
  reconnect: &wait {first: 1s, max: 60s}
  ack_timeout: 15s
contribution: {retry: {<<: *wait, codes: [NoResources, 13]}, conflate: no}
http: null
"""
MAPPING = """\
mappings:
  - name: spot
    when: asset == "FX"
    ric: "{pair}=X"
    fields: {BID: bid, MID: {from: (bid + ask) / 2, round: 5}, CCY: {from: ccy, lookup: {USD: 840}, default: 0}}
    checks: [bid <= ask, {that: bid > 0, text: none}]
tests:
  - {record: {asset: FX, pair: A, bid: 1.5}, rejected: MissingField}
"""
BITS = ["\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "!!x ", "'", '"', "|", ">", "#", "---\n", "%"]
BITS += ["${", "${X}", "${file:/dev/null}", "NO", "null", "1e9", "\t", "\x00", "\ufeff", "é", "**/*", "\\", "?", ","]
QUICK = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def mangled(draw: st.DrawFn, text: str) -> bytes:
    """A valid file with some pieces cut out, and others put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from(BITS) | st.text(max_size=4)) + text[end:]
    return text.encode("utf-8", "surrogatepass")


PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["5s", "user", "x:1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(Settings.model_fields)


def outcome(folder: Path, config: bytes, mapping: bytes) -> None:
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "m.yaml").write_bytes(mapping)
    file = folder / "c.yaml"
    file.write_bytes(config)
    environ = {"PASSWORD": "a-long-password"}
    problems: list[Problem] = []
    try:
        assert isinstance(load(file, environ=environ), Loaded)
    except ConfigError as error:
        problems = error.problems
    assert all(problem.line >= 1 and problem.column >= 1 and problem.text for problem in problems)
    assert "a-long-password" not in str(problems)
    assert isinstance(inspect(file, environ={}, lenient=True), Inspected)


@QUICK
@given(config=st.binary(max_size=60), mapping=st.binary(max_size=60))
def test_any_bytes_give_a_configuration_or_its_problems(tmp_path: Path, config: bytes, mapping: bytes) -> None:
    outcome(tmp_path, config, mapping)


@QUICK
@given(config=mangled(CONFIG), mapping=mangled(MAPPING))
def test_any_slip_gives_a_configuration_or_its_problems(tmp_path: Path, config: bytes, mapping: bytes) -> None:
    outcome(tmp_path, config, mapping)


@QUICK
@given(values=st.dictionaries(st.sampled_from(KEYS), PLAIN, max_size=4))
def test_any_values_give_a_configuration_or_its_problems(tmp_path: Path, values: dict[str, Any]) -> None:
    outcome(tmp_path, yaml.safe_dump({**yaml.safe_load(CONFIG), **values}).encode(), MAPPING.encode())


def test_the_files_that_are_mangled_are_right_before(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "m.yaml").write_text(MAPPING)
    (tmp_path / "c.yaml").write_text(CONFIG)
    assert load(tmp_path / "c.yaml", environ={"PASSWORD": "p"}).cases


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? ", "&a [", "'", '"', "!", "%", "*a "])
def test_long_runs_of_one_piece_are_answered_at_once(tmp_path: Path, piece: str) -> None:
    (tmp_path / "c.yaml").write_text(piece * 100_000)
    with pytest.raises(ConfigError):
        load(tmp_path / "c.yaml", environ={})
