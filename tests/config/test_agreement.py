"""The models, the example configuration and the documentation say the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import BaseModel

from contribd.config.document import load_document, parse_document
from contribd.config.interpolate import Interpolation
from contribd.config.load import Loaded, load
from contribd.config.model import Settings
from contribd.mapping.cases import run_case
from contribd.mapping.outcome import Mapped

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "contribd.yaml"
REQUIRED = {"kafka.bootstrap_servers", "ads.endpoints", "ads.service"}
MINIMAL = {"kafka": {"bootstrap_servers": "a:1"}, "ads": {"endpoints": "ws://a:1", "service": "s"}}
# The currencies quoted against the dollar, and some crosses.
MAJORS = ["EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "USDJPY", "USDCHF", "USDCAD", "USDSEK", "USDNOK", "USDDKK", "USDPLN"]
OTHERS = ["USDHUF", "USDCZK", "USDTRY", "USDZAR", "USDMXN", "USDSGD", "USDHKD", "USDCNY", "USDINR", "USDKRW", "USDTHB"]
CROSSES = ["EURGBP", "EURJPY", "EURCHF", "EURSEK", "EURNOK", "GBPJPY", "AUDJPY"]


def keys(section: BaseModel, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every key in force, dotted; those of ads.auth depend on its type."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel) and name != "auth":
            yield from keys(value, (*path, name))
        else:
            yield ".".join((*path, name))


def at(data: Any, key: str) -> Any:
    for step in key.split("."):
        data = data[step]
    return data


def given(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from given(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def effective(data: dict[str, Any]) -> dict[str, Any]:
    """The settings that data comes to, as plain data."""
    settings: dict[str, Any] = json.loads(Settings.model_validate(data).model_dump_json())
    return settings


def with_key(key: str, value: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(MINIMAL))
    *sections, name = key.split(".")
    inner = data
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[name] = value
    return data


def table() -> dict[str, str]:
    """The documentation's keys and the defaults it states."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    lines = text.partition("| key | default | meaning |\n")[2].partition("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {key.strip("`"): default for key, default, _ in cells}


@pytest.fixture(scope="module")
def example() -> Loaded:
    return load(EXAMPLE, environ={})


def test_the_documentation_names_every_key_in_order_and_no_other() -> None:
    assert list(table()) == list(keys(Settings.model_validate(MINIMAL)))


def test_the_documentation_states_every_default() -> None:
    defaults = effective(MINIMAL)
    for key, stated in table().items():
        if key in REQUIRED:
            assert stated == "required"
        elif key != "instance":
            value = parse_document(f"a: {stated.strip('`')}".encode(), Path("docs")).data["a"]
            assert at(effective(with_key(key, value)), key) == at(defaults, key), key


def test_what_is_required_is_what_has_no_default() -> None:
    for key in REQUIRED:
        section, name = key.split(".")
        data = with_key(key, None)
        del data[section][name]
        with pytest.raises(ValueError, match="Field required"):
            Settings.model_validate(data)


def test_the_example_shows_the_defaults() -> None:
    defaults = effective(MINIMAL)
    data = load_document(EXAMPLE, Interpolation({})).data
    shown = [key for key, _ in given(data) if key not in REQUIRED]
    assert len(shown) > 20
    for key in shown:
        assert at(effective(data), key) == at(defaults, key), key


def test_what_the_example_has_in_comments_is_right_too(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    head, _, rest = text.partition("kafka:\n")
    uncommented = head + "kafka:\n" + rest.replace("\n  # ", "\n  ").replace("  #   ", "    ")
    (tmp_path / "kafka-password").write_text("secret")
    trustme.CA().cert_pem.write_to_path(tmp_path / "kafka-ca.pem")
    uncommented = uncommented.replace("/etc/ssl/certs/kafka-ca.pem", "kafka-ca.pem").replace("# instance", "instance")
    (tmp_path / "mappings").symlink_to(EXAMPLE.parent / "mappings")
    file = tmp_path / "contribd.yaml"
    file.write_text(uncommented)
    settings = load(file, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}).settings
    assert settings.instance == "pricing-host-1"
    assert settings.kafka.rejects == "prices-rejected"
    assert settings.kafka.client["sasl_plain_password"] == "secret"  # noqa: S105 - written above


def test_the_example_can_be_pointed_elsewhere_by_variables() -> None:
    environ = {
        "CONTRIBD_KAFKA": "k1:1,k2:2",
        "CONTRIBD_ADS": "wss://ads:443/W",
        "CONTRIBD_HTTP": "0.0.0.0:80",
        "CONTRIBD_USER": "u",
        "CONTRIBD_LOG": "debug",
    }
    settings = load(EXAMPLE, environ=environ).settings
    assert settings.kafka.bootstrap_servers == ("k1:1", "k2:2")
    assert settings.ads.endpoints == ("wss://ads:443/W",)
    assert settings.http.address == ("0.0.0.0", 80)  # noqa: S104 - not listened on
    assert (settings.ads.user, settings.log.level) == ("u", "debug")


def test_the_examples_test_cases_pass(example: Loaded) -> None:
    assert len(example.cases) >= 10
    for case in example.cases:
        assert run_case(case.test, example.mapper).differences == (), case.line


def test_the_example_posts_every_pair_to_a_ric_of_its_own(example: Loaded) -> None:
    rics = set()
    pairs = [*MAJORS, *OTHERS, *CROSSES]
    for pair in pairs:
        record = {
            "asset": "FX",
            "tenor": "SP",
            "pair": pair,
            "base": pair[:3],
            "quote": pair[3:],
            "bid": 1,
            "ask": 1.01,
        }
        mapped = example.mapper.map(json.dumps(record).encode())
        assert isinstance(mapped, Mapped)
        assert mapped.fields["CURRENCY"] != 0
        rics.add(mapped.ric)
    assert len(rics) == len(pairs) >= 25
    assert {"EUR=TRCC", "JPY=TRCC", "EURGBP=TRCC"} < rics
