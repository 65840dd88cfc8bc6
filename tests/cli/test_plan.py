"""``contribd plan``: two configurations over the same records."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.plan.making import quotes
from typer.testing import CliRunner, Result

from contribd import __version__
from contribd.cli import app
from contribd.config.load import load
from contribd.config.rules import rules_document
from contribd.control.server import ControlServer
from contribd.orders import Answer

CONFIG = """\
instance: host
kafka: {bootstrap_servers: "127.0.0.1:1", client: {sasl_plain_password: "secret-word"}}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
control: {socket: %s}
mappings: [%s/*.yaml]
"""
MAPPING = """\
mappings:
  - name: fx-spot
    when: asset == "FX"
    ric: "{pair}=TRCC"
    fields: {BID: bid, ASK: ask, MID_PRICE: {from: (bid + ask) / 2, round: 5}}
    checks: [bid <= ask]
  - {name: never, when: asset == "NONE", ric: "{pair}=", fields: {BID: bid}}
"""
TABLED = """\
mappings:
  - {name: fx-spot, when: asset == "FX", ric: "{rows[pair].ric}", fields: {BID: bid, ASK: ask}}
"""


class Desk:
    """A folder with configurations and records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = folder / "records.jsonl"
        self.write("a", MAPPING)
        self.feed(*({"asset": "FX", "pair": "EUR", "bid": float(bid), "ask": float(ask)} for bid, ask in quotes(50)))

    def write(self, name: str, mapping: str) -> None:
        """A configuration with one mapping file."""
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "fx.yaml").write_text(mapping)
        (self.folder / f"{name}.yaml").write_text(CONFIG % (self.folder / "s", name))

    def feed(self, *records: object) -> None:
        """Records, a line each."""
        self.records.write_text("".join(json.dumps(record) + "\n" for record in records))

    def plan(self, *more: str, candidate: str = "b", against: str | None = "a") -> Result:
        """What the command does."""
        arguments = ["plan", "-c", str(self.folder / f"{candidate}.yaml"), *more]
        if against is not None:
            arguments += ["--against", str(self.folder / f"{against}.yaml")]
        if not {"--since", "--offset", "--file"} & set(more):
            arguments += ["--file", str(self.records)]
        return CliRunner().invoke(app, arguments)


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("d"))


SWAPPED = MAPPING.replace("BID: bid, ASK: ask", "BID: ask, ASK: bid")


def test_the_same_rules_are_exit_0_whatever_their_layout(desk: Desk) -> None:
    desk.write("b", "# another comment\n" + MAPPING.replace("[bid <= ask]", "\n      - bid <= ask"))
    done = desk.plan()
    assert done.exit_code == 0, done.output
    assert "50 records: all come out the same" in done.stdout
    assert "not exercised by this traffic: 1 of 2 mappings, 1 of 4 fields" in done.stdout
    assert "no record was for never" in done.stdout


def test_exchanged_fields_are_said_in_the_first_ten_lines_and_exit_is_2(desk: Desk) -> None:
    desk.write("b", SWAPPED)
    done = desk.plan()
    assert done.exit_code == 2, done.output
    first = done.stdout.splitlines()[:10]
    said = "BID and ASK are exchanged in fx-spot: in each of 50 records that change"
    assert any(line.startswith(f"  {said} (line 1 EUR=TRCC: BID 1 becomes 1.0001)") for line in first), done.stdout


def test_the_document_has_both_digests_the_range_and_all_counts(desk: Desk) -> None:
    desk.write("b", SWAPPED)
    kept = desk.folder / "plan.json"
    done = desk.plan("--json", "--out", str(kept))
    document = json.loads(done.stdout)
    assert json.loads(kept.read_text()) == document
    digests = [load(desk.folder / f"{name}.yaml").digest for name in "ba"]
    assert [document[side]["digest"] for side in ("candidate", "against")] == digests
    assert document["differ"] is True
    assert document["outcomes"]["changed"] == document["records"] == 50
    assert document["traffic"]["ranges"] == [{"topic": "prices", "partition": 0, "first": 0, "last": 49}]
    assert document["findings"][0]["field"] == "BID"
    [changes] = document["changes"]
    assert changes["mapping"] == {"old": "fx-spot", "new": "fx-spot"}
    assert changes["fields"]["BID"]["records"] == 50
    assert [each["place"] for each in changes["fields"]["BID"]["examples"]] == ["line 1", "line 2", "line 3"]
    assert changes["fields"]["BID"]["largest_move"]["distance"] == 0.0002
    assert document["mappings"]["changed"] == {"fx-spot": ["fields.BID", "fields.ASK"]}
    assert document["not_exercised"]["candidate"]["silent_mappings"] == ["never"]
    assert "secret-word" not in done.stdout


def test_settings_and_mappings_that_no_record_shows_are_listed(desk: Desk) -> None:
    desk.write("b", MAPPING + '  - {name: more, when: asset == "MORE", ric: X, fields: {BID: bid}}\n')
    config = desk.folder / "b.yaml"
    config.write_text(config.read_text() + "contribution: {max_age: 5s}\n")
    done = desk.plan()
    assert done.exit_code == 0
    assert "  + mapping more\n" in done.stdout
    assert "  contribution.max_age: not there → 5s\n" in done.stdout


def test_records_with_what_surrounds_them_are_read_and_keep_their_places(desk: Desk) -> None:
    desk.write("b", MAPPING.replace("bid <= ask", "bid <= ask - 1"))
    record = {"asset": "FX", "pair": "EUR", "bid": 1, "ask": 1.5}
    desk.feed({"@topic": "prices", "@partition": 3, "@offset": 1812, "@key": "EUR", "@value": record})
    done = desk.plan()
    assert done.exit_code == 2
    assert "1 record is newly rejected by fx-spot, CheckFailed (prices:3:1812: posted to EUR=TRCC; now" in done.stdout


def test_what_surrounds_a_record_reaches_both_rules(desk: Desk) -> None:
    desk.write("b", MAPPING.replace('asset == "FX"', 'asset == "FX" and @headers.desk == "fx" and @topic == "prices"'))
    record = {"asset": "FX", "pair": "EUR", "bid": 1, "ask": 1.5}
    desk.feed({"@headers": {"desk": "fx"}, "@value": record}, {"@headers": {"desk": "mm"}, "@value": record}, record)
    done = desk.plan()
    assert done.exit_code == 2
    assert "3 records: 2 come out differently, 1 the same" in done.stdout


def test_tables_and_included_defaults_are_part_of_what_the_daemon_tells(desk: Desk) -> None:
    (desk.folder / "shared").mkdir()
    (desk.folder / "shared" / "defaults.yaml").write_text("defaults: {checks: [bid <= ask]}\n")
    (desk.folder / "shared" / "rows.csv").write_text("id,ric\nEUR,EUR=TRCC\n")
    absolute = desk.folder / "shared" / "rows.csv"
    for name in ("a", "b"):
        rows = "../shared/rows.csv" if name == "b" else absolute
        desk.write(
            name, "include: [../shared/defaults.yaml]\n" + f"tables: {{rows: {{file: {rows}, key: id}}}}\n" + TABLED
        )
    rules = load(desk.folder / "a.yaml").rules
    server = ControlServer(desk.folder / "s", None, _no_orders, lambda: rules_document(rules, __version__))
    server.start()
    while not (desk.folder / "s").exists():
        pass
    try:
        assert desk.plan(against=None).exit_code == 0
        absolute.write_text("id,ric\nEUR,EUR=X\n")
        done = desk.plan(against=None)
    finally:
        server.close()
    assert done.exit_code == 2, done.output
    assert "fx-spot's RIC ends with 'X' instead of 'TRCC'" in done.stdout or "EUR=TRCC becomes EUR=X" in done.stdout
    assert "  ~ table rows\n" in done.stdout
    assert "note:" not in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "there is no record to compare"),
        ('{"@value": {}, "@offset": "x"}', "records.jsonl:1: @offset: expected a whole number"),
    ],
)
def test_nothing_to_compare_never_passes(desk: Desk, line: str, said: str) -> None:
    desk.records.write_text(line + "\n")
    done = desk.plan(candidate="a")
    assert (done.exit_code, said in done.stderr) == (1, True), done.output


def test_options_that_exclude_each_other_and_wrong_ones_are_exit_2(desk: Desk) -> None:
    file = ("--file", str(desk.records))
    for options in (
        (*file, "--since", "1h"),
        ("--offset", "prices:0:1", "--until", "1h"),
        ("--offset", "prices"),
        ("--since", "yesterday"),
    ):
        done = desk.plan(*options, candidate="a")
        assert done.exit_code == 2
        assert "records:" not in done.stdout


# The rules in force


@pytest.fixture
def daemon(desk: Desk) -> Iterator[ControlServer]:
    """The socket of a daemon that loaded configuration ``a``."""
    rules = load(desk.folder / "a.yaml").rules
    server = ControlServer(desk.folder / "s", None, _no_orders, lambda: rules_document(rules, __version__))
    server.start()
    while not (desk.folder / "s").exists():
        pass
    yield server
    server.close()


def _no_orders(*_: object) -> Answer:
    raise AssertionError("nothing is ordered")


@pytest.mark.usefixtures("daemon")
def test_the_daemon_tells_what_it_goes_by_whatever_the_disk_says_now(desk: Desk) -> None:
    desk.write("b", SWAPPED)
    (desk.folder / "a" / "fx.yaml").write_text("mappings: []")
    done = desk.plan(against=None)
    assert done.exit_code == 2, done.output
    assert "in place of what is in force in host (" in done.stdout
    assert "BID and ASK are exchanged in fx-spot" in done.stdout
    desk.write("b", MAPPING)
    assert desk.plan(against=None).exit_code == 0


def test_without_a_daemon_it_says_what_to_do(desk: Desk) -> None:
    done = desk.plan(candidate="a", against=None)
    assert done.exit_code == 1
    assert "is it running?" in done.stderr
    assert "--against" in done.stderr


def test_a_daemon_that_tells_no_rules_is_said_so(desk: Desk) -> None:
    server = ControlServer(desk.folder / "s", None, _no_orders)
    server.start()
    while not (desk.folder / "s").exists():
        pass
    done = desk.plan(candidate="a", against=None)
    server.close()
    assert done.exit_code == 1
    assert "does not tell its rules" in done.stderr


CURVE = """
mappings:
  - name: curve
    each: points
    ric: "EUR{item.tenor}="
    fields: {BID: item.bid, ASK: item.ask}
    checks: [item.bid <= item.ask]
"""


def test_records_with_several_posts_are_compared_post_by_post(desk: Desk) -> None:
    desk.write("a", CURVE)
    desk.write(
        "b", CURVE.replace("item.ask}", "item.ask * 2}").replace("item.bid <=", "item.tenor != '6M' and item.bid <=")
    )
    tenors = ("1M", "3M", "6M", "1Y")
    desk.feed(*({"points": [{"tenor": each, "bid": n + 1, "ask": n + 2} for each in tenors]} for n in range(20)))
    done = desk.plan()
    assert done.exit_code == 2, done.output
    lines = done.stdout.splitlines()
    assert lines[2:5] == [
        "20 records with 80 posts: 20 come out differently, 0 the same",
        (
            "  20 posts are newly rejected by curve, CheckFailed (line 1: posted to EUR6M=; "
            "now CheckFailed: points[2]: item.tenor != '6M' and item.bid <= item.ask is false "
            "(item.tenor '6M', item.bid 1, item.ask 2))"
        ),
        "  ASK is multiplied by 2 in curve: in each of 60 posts that change (line 1 EUR1M=: ASK 2 becomes 4)",
    ]
    assert "what becomes of the records, post by post" in lines
    assert "  posted with other values, RIC, service or type            60    75.00%" in lines
    assert "  newly rejected                                            20    25.00%" in lines
    assert "RICs: 4, 0 gained, 1 lost" in lines
    assert "  curve ASK            60 posts    21 (line 20 EUR1M=: 21 → 42); 100% (line 1 EUR1M=: 2 → 4)" in lines
    document = json.loads(desk.plan("--json").stdout)
    assert (document["records"], document["records_changed"], document["parts"]) == (20, 20, 80)
    assert (document["changes"][0]["records"], document["changes"][0]["parts"]) == (20, 60)


def test_a_record_that_makes_three_posts_instead_of_one_gains_two(desk: Desk) -> None:
    desk.write("a", 'mappings: [{name: fx, ric: "{pair}=", fields: {BID: bid}}]\n')
    more = '{ric: "{pair}=", fields: {BID: bid}}, {ric: "{pair}=X", fields: {BID: bid}}, {ric: P, fields: {BID: bid}}'
    desk.write("b", f"mappings: [{{name: fx, posts: [{more}]}}]\n")
    desk.feed({"pair": "EUR", "bid": 1})
    done = desk.plan()
    assert done.exit_code == 2, done.output
    assert "1 record with 3 posts: 1 comes out differently, 0 the same" in done.stdout
    assert "  2 posts are gained, not made before by fx (line 1: not made; now posted to EUR=X)" in done.stdout
    assert "posts gained: further posts of a record" in done.stdout
    assert "RICs: 3, 2 gained, 0 lost" in done.stdout


def test_a_field_that_only_some_post_of_a_mapping_has_is_exercised(desk: Desk) -> None:
    posts = "{ric: A=, fields: {BID: bid}}, {ric: B=, when: bid > 5, fields: {ASK: bid}}"
    for name in "ab":
        desk.write(name, f"mappings: [{{name: fx, posts: [{posts}]}}]\n")
    desk.feed({"bid": 1})
    assert "fx never posted ASK" in desk.plan().stdout
    desk.feed({"bid": 6})
    assert "not exercised" not in desk.plan().stdout
