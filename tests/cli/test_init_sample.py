"""``contribd init`` with samples, options and questions: what it makes of them, and what it says where it cannot."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from contribd.cli import app
from contribd.mapping.inputs import Input
from contribd.mapping.scope import Surroundings
from contribd.streams import traffic
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.span import Span

QUOTE = {"symbol": "EUR=", "bid": 1.08412, "ask": 1.08415}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTRIBD_CONFIG", "CONTRIBD_KAFKA", "CONTRIBD_ADS", "CONTRIBD_ADS_SECRET"):
        monkeypatch.delenv(name, raising=False)


def invoke(*arguments: object, text: str = "") -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], input=text)


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in records)


def made(folder: Path, *records: dict[str, Any], options: tuple[str, ...] = ()) -> tuple[dict[str, Any], str]:
    """The mapping, as data and as text; check and test pass on it."""
    result = invoke("init", folder, "--sample", "-", *options, text=lines(*records))
    assert result.exit_code == 0, result.stderr
    config = folder / "contribd.yaml"
    assert invoke("check", "-c", config).exit_code == 0
    assert invoke("test", "-c", config).exit_code == 0
    text = (folder / "mappings/prices.yaml").read_text()
    return yaml.safe_load(text), text


def refused(folder: Path, *records: dict[str, Any], options: tuple[str, ...] = ()) -> str:
    result = invoke("init", folder, "--sample", "-", *options, text=lines(*records))
    assert result.exit_code == 1
    assert not (folder / "contribd.yaml").exists()
    return result.stderr


def test_a_plain_quote_is_mapped_checked_and_tested(tmp_path: Path) -> None:
    data, _ = made(tmp_path, QUOTE)
    (mapping,) = data["mappings"]
    assert mapping == {
        "name": "prices",
        "ric": "{symbol}",
        "fields": {"BID": "bid", "ASK": "ask"},
        "checks": ["bid <= ask"],
    }
    assert data["tests"] == [
        {"name": "sample 1", "record": QUOTE, "post": {"ric": "EUR=", "fields": {"BID": 1.08412, "ASK": 1.08415}}}
    ]


def test_names_of_every_style_nested_fields_and_numbers_as_text_are_recognised(tmp_path: Path) -> None:
    record = {
        "instrument": {"ric": "VOD.L", "id": "GB00"},
        "quote": {"bestBid": {"px": "73.1", "qty": 500}, "offer_price": "73.2", "AskSize": 700},
        "lastPrice": 73.15,
        "ts": 1795342530123,
        "currency": "GBP",
    }
    data, text = made(tmp_path, record)
    (mapping,) = data["mappings"]
    assert mapping["ric"] == "{instrument.ric}"
    assert mapping["fields"].pop("CURRENCY")["from"] == "currency"
    assert mapping["fields"] == {
        "BID": {"from": "quote.bestBid.px", "as": "real"},
        "BIDSIZE": "quote.bestBid.qty",
        "ASK": {"from": "quote.offer_price", "as": "real"},
        "ASKSIZE": "quote.AskSize",
        "TRDPRC_1": "lastPrice",
        "QUOTIM": {"from": "ts", "as": "time"},
    }
    assert mapping["checks"] == ["number(quote.bestBid.px) <= number(quote.offer_price)"]
    posted = data["tests"][0]["post"]["fields"]
    assert (posted["BID"], posted["QUOTIM"], posted["CURRENCY"]) == (73.1, "10:15:30.123", 826)
    assert "#   instrument.id: text" in text


def test_what_is_not_sure_says_guess_and_what_is_left_out_says_why(tmp_path: Path) -> None:
    _, text = made(tmp_path, {"id": "X", "price": 1, "time": "10:15:30", "live": True, "bid": None, "book": [1]})
    assert 'ric: "{id}"' in text
    for part in (
        "# guess: id as it is",
        "TRDPRC_1: price                   # guess, by its name",
        "guess: in UTC, since the text names no zone",
        "#   live: true or false, true: its name says no field that is known here",
        "#   bid: null in every sample",
        "#   book: a list",
    ):
        assert part in text


def test_partial_updates_nulls_and_types_that_vary(tmp_path: Path) -> None:
    data, text = made(
        tmp_path,
        {"symbol": "EUR=", "bid": 1.1, "ask": 1.2, "last": 1.1, "mid": {"x": 1}},
        {"symbol": "EUR=", "bid": 1.1, "last": "1.3", "mid": 5},
        {"symbol": "EUR=", "bid": None},
    )
    (mapping,) = data["mappings"]
    assert mapping["fields"] == {
        "BID": "bid",
        "ASK": {"from": "ask", "missing": "skip"},
        "TRDPRC_1": {"from": "last", "as": "real", "missing": "skip"},
    }
    assert "checks" not in mapping  # it would reject each update of one side
    assert "in 1 of 3 samples" in text
    assert "null in some: it posts a blank" in text
    assert "#   mid: a number or an object" in text
    assert [each["post"]["fields"] for each in data["tests"]] == [
        {"BID": 1.1, "ASK": 1.2, "TRDPRC_1": 1.1},
        {"BID": 1.1, "TRDPRC_1": 1.3},
        {"BID": None},
    ]


def test_records_of_another_sort_are_told_apart_and_never_taken_for_prices(tmp_path: Path) -> None:
    data, text = made(tmp_path, {**QUOTE, "type": "quote"}, {"type": "heartbeat"})
    assert data["mappings"][0]["when"] == 'type == "quote"'
    assert "map them, or ignore: true" in text
    assert data["tests"][1]["rejected"] == "NoMapping"


def test_crossed_samples_make_no_check(tmp_path: Path) -> None:
    data, _ = made(tmp_path, {"symbol": "EUR=", "bid": 2, "ask": 1})
    assert "checks" not in data["mappings"][0]


def test_values_that_a_name_does_not_fit_are_left_out(tmp_path: Path) -> None:
    _, text = made(tmp_path, {**QUOTE, "mid": "abc", "time": "22.11.26 9:05", "ccy": "XXX", "last": 10**15})
    for part in (
        'mid: text, "abc": no number',
        "time: text,",
        "add format: or unit:",
        "add a lookup",
        "last: a number",
    ):
        assert part in text
    assert "MID_PRICE" not in yaml.safe_load(text)["mappings"][0]["fields"]


def test_what_is_said_wins_over_what_is_guessed(tmp_path: Path) -> None:
    options = ("--ric", "{s}=TRCC", "--field", "BID=b", "--field", "ASK=a", "--field", "MID_PRICE=(b + a) / 2")
    data, _ = made(tmp_path, {"s": "EUR", "b": 1.1, "a": 1.2}, options=options)
    (mapping,) = data["mappings"]
    assert (mapping["ric"], [*mapping["fields"]]) == ("{s}=TRCC", ["MID_PRICE", "BID", "ASK"])
    assert data["tests"][0]["post"]["fields"] == {"MID_PRICE": 1.15, "BID": 1.1, "ASK": 1.2}


def test_short_names_and_prices_in_32nds_are_recognised_as_guesses(tmp_path: Path) -> None:
    data, text = made(tmp_path, {"symbol": "US10YT=", "px": {"b": "99-16+", "a": "99-18"}, "qty": 5})
    fields = data["mappings"][0]["fields"]
    assert fields["BID"] == {"from": "px.b", "as": "fraction"}
    assert fields["ASK"] == {"from": "px.a", "as": "fraction"}
    assert text.count("guess: fractions as US Treasuries have them") == 2
    _, text = made(tmp_path / "flat", {"symbol": "EUR=", "b": 1, "a": 2})
    assert "# guess, by its name" in text.split("BID: b", 1)[1].splitlines()[0]


def test_no_mapping_without_a_price_is_made_unless_it_is_asked_for(tmp_path: Path) -> None:
    record = {"symbol": "EUR=", "px": {"one": "99-16+", "live": True}, "qty": 5, "ccy": "EUR", "ts": 1795342530123}
    said = refused(tmp_path, record)
    for part in ("no price was recognised", "px.one (text, ", "qty (it would be TRDVOL_1)", "--field BID=px.one"):
        assert part in said.replace("\n", " ")
    assert "no price was recognised" in refused(tmp_path, record, options=("--field", "CURRENCY=978"))
    made(tmp_path / "said", record, options=("--field", "BID=px.one"))
    made(tmp_path / "sizes", record, options=("--field", "TRDVOL_1=qty"))


def test_what_cannot_be_guessed_says_what_to_do(tmp_path: Path) -> None:
    assert "--ric" in refused(tmp_path, {"bid": 1})
    assert "--field BID=rate1" in refused(tmp_path, {"symbol": "EUR=", "rate1": 1})
    assert "need each" in refused(tmp_path, {"symbol": "EUR=", "points": [{"bid": 1}]})
    assert "its fields are none" in refused(tmp_path, {})
    wrong = refused(tmp_path, QUOTE, options=("--field", "BID=rund(bid)", "--ric", "{symbol"))
    assert "did you mean round?" in wrong
    assert "--ric and --field ask for" in wrong


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds nothing"),
        ("{'a': 1}", "it is written as Python does"),
        ("symbol,bid\nEUR=,1\n", "is not JSON"),
        ("[1]", "expected a record, which is a JSON object"),
        ('{"symbol": "EUR=", "bid": 1}\nnonsense\n', "standard input:2: the record is not JSON"),
        ('{"@key": "EUR=", "@value": null}', "has no value"),
    ],
)
def test_what_is_no_sample_is_told_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    result = invoke("init", tmp_path / "desk", "--sample", "-", text=content)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "desk").exists()


def test_a_document_a_list_and_lines_are_the_same_and_a_key_may_name_the_instrument(tmp_path: Path) -> None:
    file = tmp_path / "sample.json"
    for content in (json.dumps(QUOTE, indent=2), json.dumps([QUOTE]), json.dumps(QUOTE)):
        file.write_text(content)
        assert invoke("init", tmp_path / "desk", "--sample", file, "--force").exit_code == 0
        assert json.loads((tmp_path / "desk/records.jsonl").read_text()) == QUOTE
    data, _ = made(tmp_path / "keyed", {"@key": "EUR=", "@value": {"bid": 1}})
    assert data["mappings"][0]["ric"] == "{@key}"
    assert data["tests"][0]["key"] == "EUR="


def test_the_newest_records_of_kafka_are_samples_as_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _kafka(monkeypatch, Input(json.dumps(QUOTE).encode(), Surroundings("EUR", "fx", 3, 18, 5, {})))
    options = ["--from-kafka", "--kafka", "k1:9092", "--prices", "fx"]
    assert invoke("init", tmp_path / "desk", *options).exit_code == 0
    assert asked == [(("k1:9092",), ("fx",), Span(newest=100))]
    config = tmp_path / "desk/contribd.yaml"
    assert invoke("test", "-c", config).exit_code == 0
    assert '"Name":"EUR="' in invoke("map", "-c", config, tmp_path / "desk/records.jsonl").stdout
    _kafka(monkeypatch)
    empty = invoke("init", tmp_path / "empty", *options)
    assert (empty.exit_code, "there is no record in fx" in empty.stderr) == (1, True)


def test_records_of_kafka_that_are_no_samples_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--from-kafka", "--kafka", "k1:9092", "--prices", "fx"]
    values = [json.dumps(QUOTE).encode(), b"nonsense", b"", b"[1]"]
    inputs = [Input(value, Surroundings("EUR", "fx", 3, at, 5, {})) for at, value in enumerate(values)]
    _kafka(monkeypatch, *inputs)
    result = invoke("init", tmp_path / "desk", *options)
    assert result.exit_code == 0, result.stderr
    assert "2 of 4 records are no JSON object and are left out; the first is fx:3:1" in result.stderr.replace("\n", " ")
    assert (tmp_path / "desk/records.jsonl").read_text().count("\n") == 1
    _kafka(monkeypatch, *inputs[1:])
    bad = invoke("init", tmp_path / "bad", *options)
    assert (bad.exit_code, "fx:3:1: the record is not JSON" in bad.stderr) == (1, True)
    assert not (tmp_path / "bad").exists()


def test_the_reason_why_nothing_would_be_posted_is_given_once(tmp_path: Path) -> None:
    records = [{"isin": "DE1", "bid": 1, "ask": 2}, {"isin": "DE2", "bid": 1}, {"isin": "DE3", "bid": 1}]
    said = refused(tmp_path, *records, options=("--ric", "{isn}=ACME"))
    assert said.count("the record has no isn") == 1
    assert "it has isin" in said


def _kafka(monkeypatch: pytest.MonkeyPatch, *records: Input) -> list[Any]:
    asked = []

    @contextmanager
    def opened(settings: KafkaSettings, span: Span) -> Iterator[traffic.Traffic]:
        asked.append((settings.bootstrap_servers, settings.prices, span))
        yield traffic.Traffic((), iter(records))

    monkeypatch.setattr(traffic, "open_traffic", opened)
    monkeypatch.setattr("contribd.ops.log.configure", lambda *_, **__: None)  # it is the process's
    return asked


def test_what_was_said_of_kafka_and_the_ads_is_in_the_configuration(tmp_path: Path) -> None:
    options = ["--kafka", "k1:9092,k2:9092", "--prices", "fx,rates", "--results", "answers", "--group", "desk"]
    options += ["--ads", "ws://a:15000", "--ads", "wss://b:443/WebSocket", "--service", "TRCC", "--user", "me"]
    assert invoke("init", tmp_path, *options).exit_code == 0
    config = yaml.safe_load((tmp_path / "contribd.yaml").read_text())
    assert config["kafka"] == {
        "bootstrap_servers": "k1:9092,k2:9092",
        "group_id": "desk",
        "prices": ["fx", "rates"],
        "results": "answers",
        "start_from": "latest",
    }
    assert config["ads"]["endpoints"] == ["ws://a:15000", "wss://b:443/WebSocket"]
    assert (config["ads"]["service"], config["ads"]["user"]) == ("TRCC", "me")
    assert invoke("check", "-c", tmp_path / "contribd.yaml").exit_code == 0


def test_a_secret_is_named_and_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--auth", "client-credentials", "--token-url", "https://login.example.com/token", "--client-id", "GE-1"]
    result = invoke("init", tmp_path, *options, "--sample", "-", text=lines(QUOTE))
    assert "export CONTRIBD_ADS_SECRET=" in result.stdout
    config = tmp_path / "contribd.yaml"
    assert "client_secret: ${CONTRIBD_ADS_SECRET}" in config.read_text()
    assert "CONTRIBD_ADS_SECRET" in invoke("check", "-c", config).stderr
    assert invoke("check", "--no-env", "-c", config).exit_code == 0
    monkeypatch.setenv("CONTRIBD_ADS_SECRET", "hush")
    assert invoke("check", "-c", config).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ads", "http://a:1"], "--ads: expected ws"),
        (["--kafka", "kafka1"], "--kafka: expected host"),
        (["--prices", "a b"], "--prices: expected"),
        (["--auth", "kerberos"], "expected one of user, password-grant, client-credentials"),
        (["--auth", "password-grant"], "password-grant needs --token-url, --client-id, --username, too"),
        (["--ric", "{x}="], "--ric and --field are about samples"),
        (["--field", "BID"], "expected NAME=EXPRESSION"),
        (["--sample", "-", "--from-kafka"], "leave one out"),
    ],
)
def test_what_is_said_wrongly_is_told_with_its_option(tmp_path: Path, options: list[str], said: str) -> None:
    result = invoke("init", tmp_path / "desk", *options, text=lines(QUOTE))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "desk").exists()


def test_what_is_there_is_replaced_by_force_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    desk = tmp_path / "desk"
    made(desk, QUOTE)
    (desk / "records.jsonl").unlink()
    (desk / "records.jsonl").symlink_to(outside)
    again = invoke("init", desk, "--sample", "-", text=lines(QUOTE))
    assert again.exit_code == 1
    assert "prices.yaml" in again.stderr
    forced = invoke("init", desk, "--sample", "-", "--force", text=lines(QUOTE))
    assert forced.exit_code == 0
    assert "contribd.yaml (replaced)" in forced.stdout
    assert outside.read_text() == "mine"
    assert oct((desk / "contribd.yaml").stat().st_mode & 0o777) == oct(0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_on_a_terminal_it_asks_and_asks_again_where_an_answer_is_wrong(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps(QUOTE))
    answers = [
        ("Kafka brokers", "nonsense"),
        ("host:port, as in", ""),  # it says what was expected, and asks once more
        ("Topic of the prices", "fx"),
        ("Topic for the results", ""),
        ("Consumer group", ""),
        ("ADS endpoints", ""),
        ("Service to", "TRCC"),
        ("User of", ""),
        ("How to log in", ""),
        ("A file with records", str(sample)),
    ]
    shown, code = _typed(tmp_path / "desk", answers)
    assert code == 0, shown
    config = yaml.safe_load((tmp_path / "desk/contribd.yaml").read_text())
    assert (config["kafka"]["prices"], config["ads"]["service"]) == ("fx", "TRCC")
    assert invoke("check", "-c", tmp_path / "desk/contribd.yaml").exit_code == 0


def _typed(folder: Path, answers: list[tuple[str, str]]) -> tuple[str, int]:
    """Each answer is typed once its question is there."""
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "contribd", "init", str(folder)], stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    shown, at = "", 0
    deadline = time.monotonic() + 60
    try:
        for question, answer in answers:
            while question not in shown[at:]:
                assert time.monotonic() < deadline, shown
                shown += _read(terminal)
            at = len(shown)
            os.write(terminal, f"{answer}\n".encode())
        while process.poll() is None and time.monotonic() < deadline:
            shown += _read(terminal)
        return shown + _read(terminal), process.wait(5)
    finally:
        process.kill()
        os.close(terminal)


def _read(terminal: int) -> str:
    """What comes within a tenth of a second."""
    if not select.select([terminal], [], [], 0.1)[0]:
        return ""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:
        return ""  # the other end is closed
