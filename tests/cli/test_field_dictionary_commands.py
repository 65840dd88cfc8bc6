"""The commands that read mappings know the field dictionary."""

import json
from pathlib import Path

import pytest
from tests.cli.test_check import contribd
from tests.dictionary.dictionary_samples import ENUMS, FIELDS

CONFIGURATION = """\
kafka: {bootstrap_servers: "kafka1:9092"}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
dictionary: {fields: RDMFieldDictionary, enums: enumtype.def}
"""
MAPPING = """\
mappings:
  - {name: spot, ric: "{pair}=", fields: {"22": bid, CURRENCY: ccy}}
tests:
  - record: {pair: EUR, bid: 1.5, ccy: USD}
    post: {ric: EUR=, fields: {BID: 1.5, CURRENCY: 840}}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    (tmp_path / "RDMFieldDictionary").write_bytes(FIELDS)
    (tmp_path / "enumtype.def").write_bytes(ENUMS)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "spot.yaml").write_text(MAPPING)
    file = tmp_path / "contribd.yaml"
    file.write_text(CONFIGURATION)
    return file


def test_check_tells_how_much_the_dictionary_knows(configuration: Path) -> None:
    run = contribd("check", "-c", configuration)
    assert (run.returncode, run.stderr) == (0, "")
    assert "fields    39 in the dictionary, 2 tables of enumerated values" in run.stdout
    told = json.loads(contribd("check", "-c", configuration, "--json").stdout)
    assert told["dictionary"] == {"fields": 39, "tables": 2}


def test_check_tells_mistakes_in_the_dictionary_with_their_lines(configuration: Path) -> None:
    file = configuration.parent / "enumtype.def"
    file.write_bytes(ENUMS.replace(b'"CAD"', b"CAD"))
    run = contribd("check", "-c", configuration, "--format", "gnu")
    assert run.returncode == 78
    assert run.stderr.startswith(f"{file}:10:13: error: expected a display text in double quotes")


def test_map_makes_values_fit(configuration: Path) -> None:
    records = configuration.parent / "records.jsonl"
    records.write_text('{"pair": "EUR", "bid": 1.5, "ccy": "EUR"}\n{"pair": "EUR", "bid": "1.5", "ccy": "EUR"}\n')
    run = contribd("map", "-c", configuration, records)
    first, second = run.stdout.splitlines()
    assert '"Fields":{"BID":1.5,"CURRENCY":978}' in first
    assert 'REJECTED BadValue: BID (FID 22, Real): it takes a number, not the text "1.5"' in second


def test_tests_are_run_with_the_dictionary_those_of_other_files_too(configuration: Path) -> None:
    other = configuration.parent / "other.yaml"
    other.write_text(MAPPING)
    for files in ([], [other]):
        run = contribd("test", "-c", configuration, *files)
        assert (run.returncode, run.stdout) == (0, "1 passed\n")


def test_the_posts_that_a_test_lists_may_name_fields_by_their_fids(configuration: Path) -> None:
    (configuration.parent / "mappings" / "spot.yaml").write_text("""
mappings:
  - {name: curve, each: points, ric: "{item.ric}", fields: {"22": item.bid, CURRENCY: ccy}}
tests:
  - record: {ccy: USD, points: [{ric: A=, bid: 1}, {ric: B=, bid: 2}]}
    posts: [{ric: A=, fields: {"22": 1, CURRENCY: 840}}, {ric: B=, including: {"22": 2}}]
  - record: {ccy: USD, points: [{ric: A=, bid: 1}, {ric: B=, bid: 2}]}
    posts: {including: [{ric: B=, including: {"22": 2}}]}
""")
    run = contribd("test", "-c", configuration)
    assert (run.returncode, run.stdout) == (0, "2 passed\n")
