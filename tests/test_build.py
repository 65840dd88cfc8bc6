"""What the configuration comes to."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from contribd import build
from contribd.config.load import load
from contribd.config.model import Settings


def settings(**ads: object) -> Settings:
    return Settings.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "ads": {"endpoints": ["ws://localhost:15000/WebSocket"], "service": "TRCC", **ads},
        }
    )


@pytest.mark.parametrize("position", ["10.1.2.3", "10.1.2.3/net", "10.1.2.3/pricing-host"])
def test_the_poster_is_the_positions_address(position: str) -> None:
    assert build.post_user(settings(position=position)).address == "10.1.2.3"


@pytest.mark.parametrize("position", [None, "pricing-host/net", "::1/net"])
def test_the_poster_is_an_ipv4_address_whatever_the_position(position: str | None) -> None:
    address = build.post_user(settings(position=position)).address
    assert str(IPv4Address(address)) == address


def test_the_posters_number_is_the_application_id_unless_it_is_given() -> None:
    assert build.post_user(settings(application_id="256")).user_id == 256
    assert build.post_user(settings(application_id="desk", post_user={"id": 7})).user_id == 7


def test_the_services_are_those_of_each_post_and_none_of_what_is_not_for_posting(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("""
mappings:
  - {name: heartbeat, when: type == "heartbeat", ignore: true}
  - {name: curve, when: type == "curve", each: points, ric: "{item.ric}", fields: {BID: item.bid}}
  - name: two
    when: type == "two"
    posts: [{ric: "{ric}", fields: {BID: bid}}, {ric: PAGE, service: PAGES, fields: {ROW64_3: text}}]
  - {name: spot, ric: "{ric}", service: IDN, fields: {BID: bid}}
""")
    (tmp_path / "contribd.yaml").write_text("""
kafka: {bootstrap_servers: localhost:9092}
ads: {endpoints: [ws://localhost:15000/WebSocket], service: TRCC}
mappings: [mapping.yaml]
""")
    assert build.services(load(tmp_path / "contribd.yaml")) == ("TRCC", "PAGES", "IDN")
