"""Configuration and mapping files together: what is told of mistakes, and what comes of a right one."""

import importlib.util
import shutil
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from tests.config.conftest import Write

from contribd.config import kafka_client
from contribd.config.errors import ConfigError
from contribd.config.load import DEFAULT_FILE, Loaded, inspect, load, resolve_path
from contribd.mapping.outcome import Mapped, Rejected
from contribd.streams.client.settings import KafkaSettings

MINIMAL = """\
kafka: {bootstrap_servers: "kafka1:9092"}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
"""
SECRET = "hunter2-hunter2"  # noqa: S105 - looked for in every message, not used
SPOT = 'mappings:\n  - {name: spot, ric: "{pair}=TRCC", fields: {BID: bid}}\n'


def problems(file: Path, **environ: str) -> list[str]:
    """The problems as text, without the folder."""
    with pytest.raises(ConfigError) as raised:
        load(file, environ=environ)
    return [str(problem).replace(f"{file.parent}/", "") for problem in raised.value.problems]


def changed(**keys: str) -> str:
    """The smallest configuration with more keys in its sections, or more sections."""
    sections = {
        "kafka": ['bootstrap_servers: "kafka1:9092"'],
        "ads": ['endpoints: ["ws://ads1:15000/WebSocket"]', "service: TRCC"],
    }
    for name, lines in keys.items():
        sections.setdefault(name, []).extend(lines.split("\n"))
    return "".join(f"{name}:\n" + "".join(f"  {line}\n" for line in lines) for name, lines in sections.items())


def test_the_smallest_configuration_has_the_defaults(write: Write) -> None:
    loaded = load(write(), environ={})
    settings = loaded.settings
    assert settings.kafka.bootstrap_servers == ("kafka1:9092",)
    assert (settings.kafka.prices, settings.kafka.results) == (("prices",), "contribution-results")
    assert (settings.ads.ack_timeout, settings.ads.reconnect.max, settings.contribution.retry.first) == (15, 60, 0.5)
    assert settings.http.address == ("127.0.0.1", 9820)
    assert [case.line for case in loaded.cases] == [4]
    assert isinstance(loaded.mapper.map(b'{"pair": "EUR", "bid": 1}'), Mapped)
    assert isinstance(loaded.mapper.map(b"[]"), Rejected)


def test_all_mistakes_in_all_files_are_told_at_once_in_file_order(write: Write) -> None:
    text = "instance: NO\n" + changed(
        ads="ack_timeout: 15\nacktimeout: 1s", kafka="prices: ${TOPIC}", log="level: loud"
    )
    bad = 'mappings:\n  - {name: bad, ric: x, fields: {BID: "bid +"}}\n'
    found = problems(write(text, spot=SPOT, worse=bad))
    assert [line.partition(": ")[0] for line in found] == [
        "contribd.yaml:1:11",
        "contribd.yaml:4:11",
        "contribd.yaml:8:16",
        "contribd.yaml:9:3",
        "contribd.yaml:11:10",
        "mappings/worse.yaml:2:45",
    ]
    assert found[0].endswith(
        ': instance: NO is a boolean in YAML 1.1; write "NO" in quotes, or true or false where that is meant'
    )
    assert found[1].endswith(
        ": kafka.prices: ${TOPIC} is not set; set it in the environment, or write ${TOPIC:-default}"
    )
    assert found[2].endswith(
        ": ads.ack_timeout: expected a duration such as 250ms, 15s, 2m or 1h, got 15; write the unit, as in 15s"
    )
    assert found[3].endswith(": ads.acktimeout: unknown key; did you mean ack_timeout?")
    assert found[4].endswith(
        ': log.level: expected debug, info, warning or error, got "loud"; write one of debug, info, warning, error'
    )
    assert "mappings[0].fields.BID: " in found[5]


def test_an_error_in_an_expression_points_at_its_column(write: Write) -> None:
    mapping = 'mappings:\n  - name: spot\n    ric: "é{pair"\n    fields:\n      BID: bid + * 2\n'
    (ric, field) = problems(write(MINIMAL, spot=mapping))
    assert ric.startswith("mappings/spot.yaml:3:")
    assert field.startswith("mappings/spot.yaml:5:18: mappings[0].fields.BID: ")


def test_a_mistake_in_the_shape_of_one_mapping_does_not_hide_those_in_another(write: Write) -> None:
    mapping = (
        "mappings:\n  - {name: a, rick: x, fields: {BID: bid}}\n  - {name: b, ric: x, fields: {BID: bid +}}\n"
        "tests:\n  - {record: {}, rejected: Nothing}\n"
    )
    found = problems(write(MINIMAL, spot=mapping))
    assert any(text.startswith("mappings/spot.yaml:3:") and "mappings[1].fields.BID" in text for text in found)
    assert any("mappings[0].rick: unknown key; did you mean ric?" in text for text in found)
    assert any("tests[0].rejected: expected one of BadRecord" in text for text in found)


def test_mapping_names_are_unique_over_all_files(write: Write) -> None:
    (found,) = problems(write(MINIMAL, a=SPOT, b=SPOT))
    assert found.startswith("mappings/b.yaml:2:12: mappings[0].name: another mapping is named spot")


def test_mapping_files_are_tried_in_the_order_listed_and_each_pattern_sorted(write: Write) -> None:
    mappings = {name: SPOT.replace("spot,", f"{name}, when: x == '{name}',") for name in ("a", "b", "c")}
    file = write(MINIMAL + "mappings: [mappings/c.yaml, mappings/*.yaml]\n", **mappings)
    loaded = load(file, environ={})
    assert [path.name for path in loaded.files] == ["contribd.yaml", "c.yaml", "a.yaml", "b.yaml"]
    assert [mapping.name for mapping in loaded.mapper.mappings] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [("none/*.yaml", "matches no file"), ("mappings", "matches no file"), ("**/*.yaml", "holds **")],
)
def test_a_pattern_that_leads_nowhere_is_a_problem(write: Write, pattern: str, problem: str) -> None:
    (found,) = problems(write(f"{MINIMAL}mappings: [mappings/*.yaml, {pattern!r}]\n"))
    assert found.startswith(f'contribd.yaml:3:29: mappings[1]: "{pattern}" {problem}')


def test_a_pattern_that_matches_folders_alone_names_them(write: Write) -> None:
    file = write(MINIMAL)
    shutil.rmtree(file.parent / "mappings", ignore_errors=True)
    (file.parent / "mappings/b.yaml").mkdir(parents=True)
    (found,) = problems(file)
    assert found.partition(": ")[2].startswith("mappings: ")
    assert "mappings/b.yaml is a folder; remove it" in found


def test_what_is_missing_of_the_file_or_is_a_default_is_told_at_no_line_of_it(write: Write) -> None:
    file = write("\nkafka: {bootstrap_servers: 'a:1'}\n")
    shutil.rmtree(file.parent / "mappings", ignore_errors=True)
    first, second = inspect(file, environ={}).problems
    assert (first.line, first.excerpt, first.path) == (1, None, "ads")
    assert first.text == "is missing (the ADS, and how it is posted to)"
    assert (second.line, second.excerpt, second.path) == (1, None, "mappings")
    assert second.text.startswith('"mappings/*.yaml", the default, matches no file in ')


@pytest.mark.parametrize("content", ["", "# nothing\n", "- a\n", "text"])
def test_a_file_without_sections_is_a_problem(write: Write, content: str) -> None:
    assert problems(write(content))
    assert problems(write(MINIMAL, spot=content))


def test_a_file_that_is_absent_says_how_to_name_another(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "absent.yaml")
    assert found == "absent.yaml:1:1: there is no such file; name another with --config FILE or $CONTRIBD_CONFIG"


def test_the_file_is_the_one_given_then_the_environments_then_the_systems() -> None:
    environ = {"CONTRIBD_CONFIG": "/x.yaml"}
    assert resolve_path(Path("/given.yaml"), environ) == Path("/given.yaml")
    assert resolve_path(None, environ) == Path("/x.yaml")
    assert resolve_path(None, {"CONTRIBD_CONFIG": ""}) == DEFAULT_FILE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (changed(kafka="results: prices"), "kafka.results: is also a topic of prices"),
        (changed(kafka="rejects: prices"), "kafka.rejects: is also a topic of prices"),
        ("rules_topic: prices\n" + changed(), "rules_topic: is also kafka.prices; name another topic"),
        (
            "rules_topic: kept\nevents_topic: kept\n" + changed(),
            "events_topic: is also rules_topic; name another topic",
        ),
        (changed(kafka="rejects: contribution-results"), "kafka.rejects: is also the topic of results"),
        (changed(ads="reconnect: {first: 2m}"), "ads.reconnect.first: the first wait is longer than the longest"),
        (changed(contribution="retry: {first: 1m}"), "contribution.retry.first: the first wait is longer"),
        (changed(ads="application_id: trading"), "ads.application_id: is not a number"),
        (changed(ads="position: here"), "ads.position: does not begin with an IPv4 address"),
        (changed(ads="tls: {key_file: /dev/null}"), "ads.tls.key_file: a key without a certificate"),
        (changed(ads="tls: {ca_file: nope.pem}"), 'ads.tls.ca_file: "nope.pem" cannot be read: No such file'),
        (changed(dictionary="enums: nope.def"), 'dictionary.enums: "nope.def" cannot be read: No such file'),
        (changed(ads="auth: {type: password-grant}").replace("TRCC", '"7"'), "ads.service: is a number"),
    ],
)
def test_what_one_key_cannot_know_of_another_is_checked(write: Write, text: str, problem: str) -> None:
    assert any(problem in found for found in problems(write(text)))


def test_a_value_that_is_wrong_is_told_once_and_not_blamed_for_its_stand_in(write: Write) -> None:
    (found,) = problems(write(changed(kafka="prices: contribution-results\nresults: 5")))
    assert found.startswith("contribd.yaml:4:12: kafka.results: expected a topic name")


@pytest.mark.parametrize(
    ("client", "problem"),
    [
        ("group_id: other", "group_id: contribd decides this itself: set kafka.group_id"),
        ("isolation_level: read_uncommitted", "isolation_level: contribd decides this itself"),
        ("value_serializer: str", "value_serializer: cannot be set from a file"),
        ("ssl_cafil: x", "ssl_cafil: kafka-python has no such setting; did you mean ssl_cafile?"),
        ("request_timeout_ms: 5s", 'request_timeout_ms: expected a whole number, got "5s"'),
        ("check_crcs: 1", "check_crcs: expected true or false, got 1"),
        ("sasl_plain_username: 7", "sasl_plain_username: expected text; write a number in quotes, got 7"),
        ("group_instance_id: a b", "group_instance_id: expected text of letters, digits"),
        ("group_instance_id: 7", "group_instance_id: expected text of letters, digits"),
        ("security_protocol: TLS", "security_protocol: expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
        ("security_protocol: SASL_SSL", "sasl_mechanism: is missing (security_protocol asks for SASL)"),
        ("sasl_mechanism: PLAIN", "sasl_mechanism: has no effect; set security_protocol"),
        ("ssl_cafile: nope.pem", 'ssl_cafile: "nope.pem" cannot be read: No such file'),
        ("compression_type: brotli", 'compression_type: expected gzip, snappy, lz4, zstd or null, got "brotli"'),
        ("client_dns_lookup: first", "client_dns_lookup: expected use_all_dns_ips or resolve_canonical"),
        ("proxy_url: proxy:3128", "proxy_url: expected an address that begins with socks5://, socks5h:// or http://"),
        ("proxy_url: 3128", "proxy_url: expected text; write a number in quotes"),
        ("send_buffer_bytes: big", "send_buffer_bytes: expected a whole number"),
        ("max_poll_records: 0", "max_poll_records: expected a whole number from 1 to 2147483647, got 0"),
        ("fetch_max_bytes: 2147483648", "fetch_max_bytes: expected a whole number from 1 to 2147483647"),
        ("max_in_flight_requests_per_connection: 6", "expected a whole number from 1 to 5, got 6"),
        ("heartbeat_interval_ms: 45000", "heartbeat_interval_ms (45000) must be less than session_timeout_ms (45000)"),
        ("session_timeout_ms: 2000", "heartbeat_interval_ms (3000) must be less than session_timeout_ms (2000)"),
        ("connections_max_idle_ms: 9000", "request_timeout_ms (30000) must be less than connections_max_idle_ms"),
        ("linger_ms: 90001", "linger_ms and request_timeout_ms must be no more than delivery_timeout_ms"),
        ("exclude_internal_topics: on", "exclude_internal_topics: on is a boolean in YAML 1.1"),
    ],
)
def test_client_settings_are_checked_against_kafka_python(write: Write, client: str, problem: str) -> None:
    found = problems(write(changed(kafka=f"client: {{{client}}}")))
    assert any(problem in text and "kafka.client." in text for text in found)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_codec_of_kafka_can_be_written_as_installed(codec: str) -> None:
    assert list(kafka_client.client_problems({"compression_type": codec})) == []


def test_a_codec_whose_package_is_missing_is_told_before_the_sink_meets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    [(path, text)] = kafka_client.client_problems({"compression_type": "zstd"})
    assert path == ("kafka", "client", "compression_type")
    assert text == "zstd needs the Python package zstandard, which is not installed: install it beside contribd"
    assert list(kafka_client.client_problems({"compression_type": "gzip"})) == []


WILD: tuple[object, ...] = (-(2**31) - 1, -1, 2**31, 2**63, 10**30, "", "x", 1.5, [], {})


@pytest.mark.parametrize("name", sorted(kafka_client.known_settings()))
def test_no_setting_takes_what_kafka_python_could_only_fail_with(name: str) -> None:
    """What the client would meet in the middle of its work ends the thread that it works in."""
    default = kafka_client.known_settings()[name]
    text = isinstance(default, str) or default is None
    taken = [value for value in WILD if not any(kafka_client.client_problems({name: value}))]
    assert taken == (["x"] if text and taken else [])


def test_every_setting_that_the_streams_decide_is_refused() -> None:
    known = kafka_client.known_settings()
    given = KafkaSettings(("a:1",), "g", ("p",), "r", None, "latest", "i", client=dict.fromkeys(known, "given"))
    decided = {name for used in (given.member(), given.producer()) for name, value in used.items() if value != "given"}
    assert {"isolation_level", "transactional_id"} < decided
    told = {path[-1]: text for path, text in kafka_client.client_problems(dict.fromkeys(known, "given"))}
    for name in decided:
        assert told[name].startswith("contribd decides this itself"), name


def test_client_settings_that_kafka_python_takes_are_handed_on(write: Write) -> None:
    client = "client: {security_protocol: SASL_SSL, sasl_mechanism: PLAIN, sasl_plain_username: u, linger_ms: 5,"
    client += " sasl_plain_password: '${P}', session_timeout_ms: 20000}"
    loaded = load(write(changed(kafka=client)), environ={"P": SECRET})
    assert loaded.settings.kafka.client["sasl_plain_password"] == SECRET
    assert loaded.secrets == {SECRET}


@pytest.mark.parametrize("given", ["null", "host-1"])
def test_the_name_in_the_group_can_be_set_and_left_out(write: Write, given: str) -> None:
    client = load(write(changed(kafka=f"client: {{group_instance_id: {given}}}")), environ={}).settings.kafka.client
    assert client == {"group_instance_id": None if given == "null" else given}


def test_files_are_relative_to_the_configuration(write: Write, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    file = write(changed(ads="tls: {ca_file: ca.pem}", kafka="client: {ssl_cafile: ca.pem}"))
    settings = load(file, environ={}).settings
    assert settings.ads.tls.ca_file == tmp_path / "ca.pem"
    assert settings.kafka.client["ssl_cafile"] == str(tmp_path / "ca.pem")


LEAKS = [
    changed(kafka="prices: ${S}!"),
    changed(kafka="prices: [a, '${S} ']"),
    changed(kafka="client: {request_timeout_ms: '${S}'}"),
    changed(kafka="client: {ssl_cafile: '/${S}'}"),
    changed(ads="ack_timeout: ${S}"),
    changed(ads="position: ${S}"),
    changed(ads="tls: {ca_file: '${S}'}"),
    changed(ads="auth: {type: '${S}'}"),
    changed(ads="auth: ${S}"),
    changed(log="level: ${S}"),
    changed(contribution="retry: {codes: ['${S}']}"),
    changed(contribution="conflate: ${S}"),
    MINIMAL + "mappings: ['${S}/*.yaml']\n",
    MINIMAL + "http: {listen: '${S}'}\n",
    changed(ads=f"auth: {{type: password-grant, password: [{SECRET}]}}"),
    changed(ads=f"auth: {{type: password-grant, pasword: {SECRET}}}"),
    changed(ads=f"endpoints2: ['ws://user:{SECRET}@ads:1/']").replace("ws://ads1:15000", f"ws://user:{SECRET}@ads:1"),
]


@pytest.mark.parametrize("text", LEAKS)
def test_what_was_interpolated_and_what_is_secret_is_never_in_a_message(write: Write, text: str) -> None:
    found = problems(write(text), S=SECRET)
    assert found
    assert SECRET not in "\n".join(found)


@pytest.mark.parametrize(("value", "word"), [("NO", "NO"), ("1e999", "1e999")])
def test_a_doubtful_value_from_a_variable_is_told_by_the_variables_name(write: Write, value: str, word: str) -> None:
    found = problems(write(MINIMAL + "instance: ${NAME}\n"), NAME=value)
    assert "${NAME}" in found[0]
    assert word not in found[0]


@pytest.mark.parametrize(("word", "truth"), [("no", False), ("Off", False), ("yes", True), ("false", False)])
def test_a_yaml_1_1_boolean_is_taken_where_true_or_false_is_meant(write: Write, word: str, truth: bool) -> None:
    loaded = load(write(changed(contribution=f"conflate: {word}")), environ={})
    assert loaded.settings.contribution.conflate is truth


def loaded(file: Path, **environ: str) -> Loaded:
    return load(file, environ=environ)


def test_the_digest_is_the_same_for_the_same_rules_however_they_are_written(write: Write) -> None:
    first = loaded(write()).digest
    text = f"# comment\ninstance: other\n{MINIMAL}log: {{level: info}}\nmappings: mappings/spot.yaml\n"
    assert loaded(write(text)).digest == first
    assert loaded(write(MINIMAL + "control: {socket: /run/other.sock}\n")).digest == first
    assert loaded(write(MINIMAL + "results: {input: include}\n")).digest == first
    assert len(first) == 64


def test_the_digest_changes_with_a_setting_and_with_a_mapping(write: Write) -> None:
    first = loaded(write()).digest
    assert loaded(write(changed(ads="pack: 21"))).digest != first
    assert loaded(write(MINIMAL, spot=SPOT.replace("BID: bid", "BID: bid * 1.0"))).digest != first


def test_the_digest_does_not_depend_on_secrets(write: Write, tmp_path: Path) -> None:
    text = changed(
        ads="user: ${credential:user}\nauth: {type: client-credentials, client_id: c, client_secret: '${S}', "
        "token_url: 'https://login/token'}",
        kafka="client: {ssl_password: '${S}'}",
    )
    digests = set()
    for secret in ("first-secret", "second-secret"):
        (tmp_path / "user").write_text(secret)
        digests.add(loaded(write(text), S=f"other-{secret[::-1]}", CREDENTIALS_DIRECTORY=str(tmp_path)).digest)
    assert len(digests) == 1


def test_secrets_do_not_show_in_what_is_printed_of_the_settings(write: Write) -> None:
    text = changed(
        ads=f"auth: {{type: password-grant, client_id: c, username: u, password: {SECRET}, token_url: 'https://l/t'}}",
        kafka=f"client: {{ssl_password: {SECRET}}}",
    )
    settings = loaded(write(text)).settings
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump(mode="json")["ads"])
    assert loaded(write(text)).secrets == {SECRET}


def test_leniently_nothing_outside_is_needed(write: Write) -> None:
    text = changed(
        kafka="prices: ${T}\nclient: {ssl_cafile: /nonexistent}",
        ads="ack_timeout: ${W:-15s}\ntls: {ca_file: /nonexistent}\nmax_outstanding: ${N}",
    ).replace('"kafka1:9092"', "${credential:brokers}")
    assert inspect(write(text), environ={}, lenient=True).problems == []
    assert len(inspect(write(text), environ={}).problems) == 5


def test_leniently_what_is_written_is_still_checked(write: Write) -> None:
    text = changed(ads="ack_timeout: ${W:-15}\npack: 0", kafka="prices: [b, '${A}']\nresults: b")
    found = inspect(write(text), environ={}, lenient=True).problems
    assert [problem.path for problem in found] == ["kafka.results", "ads.ack_timeout", "ads.pack"]


@pytest.mark.parametrize(("when", "place"), [("on_stop: true", "4:13"), ("silent_after: 30s", "4:13")])
def test_withdrawal_without_a_mapping_that_says_what_is_a_problem(write: Write, when: str, place: str) -> None:
    text = MINIMAL + f"contribution:\n  withdraw: {{{when}}}\n"
    (problem,) = problems(write(text, spot=SPOT))
    assert problem.startswith(f"contribd.yaml:{place}: contribution.withdraw: no mapping lists fields to blank")
    load(write(text, spot=SPOT.replace("fields", "withdraw: [BID], fields")), environ={})
    load(write(MINIMAL + "contribution:\n  withdraw: {on_stop: false}\n", spot=SPOT), environ={})


# Certificates


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A folder with an authority, a certificate, its key (also with the pass phrase ``s3same``), and another key."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = serialization.BestAvailableEncryption(b"s3same")
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    for name, data in {
        "ca.pem": authority.cert_pem.bytes(),
        "cert.pem": leaf.cert_chain_pems[0].bytes(),
        "key.pem": leaf.private_key_pem.bytes(),
        "locked.pem": key.private_bytes(*form, locked),
        "other.pem": authority.issue_cert("localhost").private_key_pem.bytes(),
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


ADS_TLS = [
    ("ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem", None),
    ("cert_file: cert.pem, key_file: locked.pem, key_password: s3same", None),
    ("cert_file: cert.pem, key_file: locked.pem", "ads.tls.key_password: missing: the key has a pass phrase"),
    (
        "cert_file: cert.pem, key_file: locked.pem, key_password: hidden",
        "ads.tls.key_password: is not the pass phrase of the key",
    ),
    (
        "cert_file: cert.pem, key_file: other.pem",
        "ads.tls.key_file: holds another key than that of the certificate",
    ),
    ("ca_file: key.pem", "ads.tls.ca_file: holds no certificate in PEM form"),
    ("key_password: hidden", "ads.tls.key_password: a key without a certificate"),
]


@pytest.mark.parametrize(("tls", "problem"), ADS_TLS)
def test_certificates_are_loaded_as_a_connection_would(write: Write, pem: Path, tls: str, problem: str | None) -> None:
    text = changed(ads=f"tls: {{{tls}}}").replace("ws://", "wss://")
    found = list(map(str, inspect(write(text), environ={}).problems))
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]
    assert not any("hidden" in each for each in found)
    assert (pem / "ca.pem").exists()


@pytest.mark.parametrize(("tls", "problem"), ADS_TLS[:5])
def test_kafka_s_certificates_too(write: Write, pem: Path, tls: str, problem: str | None) -> None:
    names = {"ca_file": "ssl_cafile", "cert_file": "ssl_certfile", "key_file": "ssl_keyfile"}
    for name, kafka in {**names, "key_password": "ssl_password"}.items():
        tls = tls.replace(f"{name}:", f"{kafka}:")
        problem = problem and problem.replace(f"ads.tls.{name}", f"kafka.client.{kafka}")
    text = changed(kafka=f"client: {{security_protocol: SSL, {tls}}}")
    found = list(map(str, inspect(write(text), environ={}).problems))
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]
    assert (pem / "ca.pem").exists()


def test_a_pass_phrase_is_a_secret(write: Write, pem: Path) -> None:
    tls = "tls: {cert_file: cert.pem, key_file: locked.pem, key_password: s3same}"
    loaded = load(write(changed(ads=tls).replace("ws://", "wss://")), environ={})
    assert "s3same" in loaded.secrets
    assert "s3same" not in repr(loaded.settings)
    assert loaded.settings.ads.tls.files().key_file == pem / "locked.pem"


PAGE = 'mappings:\n  - {name: page, ric: PAGE, fields: {ROW64_1: {from: "partial(t, 3)", as: rmtes}}}\n'


def test_rmtes_text_needs_to_be_told_how_the_ads_takes_it(write: Write) -> None:
    told = problems(write(changed(contribution="conflate: false"), page=PAGE))
    assert len(told) == 1
    assert (
        "ads.rmtes_escape: mapping page posts ROW64_1 as: rmtes; how this ADS takes the escapes must be said" in told[0]
    )
    loaded = load(write(changed(contribution="conflate: false", ads="rmtes_escape: raw"), page=PAGE), environ={})
    assert loaded.settings.ads.rmtes_escape == "raw"


def test_rows_that_change_in_part_are_never_conflated(write: Write) -> None:
    told = problems(write(changed(ads="rmtes_escape: json"), page=PAGE))
    assert len(told) == 1
    assert "contribution.conflate: mapping page posts partial updates" in told[0]
    whole = PAGE.replace("partial(t, 3)", "t")
    load(write(changed(ads="rmtes_escape: json"), page=whole), environ={})
