"""What one key cannot know of another, and whether the files named are there."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contribd.config.kafka_client import FILES, client_problems
from contribd.config.model import Ads, Kafka, Settings
from contribd.config.nodes import DataPath
from contribd.tls import TlsFiles, TlsProblem, client_context


def cross_problems(settings: Settings) -> Iterator[tuple[DataPath, str]]:
    """Contradictions between keys."""
    yield from _topics(settings.kafka, settings.control.topic)
    yield from _kept_topics(settings)
    yield from client_problems(settings.kafka.client)
    yield from _sasl(settings.kafka.client)
    yield from _post_user(settings.ads)
    for name in ("key_file", "key_password"):
        if getattr(settings.ads.tls, name) and not settings.ads.tls.cert_file:
            yield ("ads", "tls", name), "a key without a certificate: set cert_file"
    for path, wait in (
        (("ads", "reconnect", "first"), settings.ads.reconnect),
        (("contribution", "retry", "first"), settings.contribution.retry),
    ):
        if wait.first > wait.max:
            yield path, "the first wait is longer than the longest: set first no longer than max"


def file_problems(settings: Settings) -> Iterator[tuple[DataPath, str]]:
    """Files that are named and cannot be read, or used; paths absolute, see :func:`rooted`. No message holds a path."""
    unreadable = set()
    for path, file in _files(settings):
        try:
            with file.open("rb") as opened:
                opened.read(1)
        except OSError as error:
            unreadable.add(path)
            yield path, f"cannot be read: {error.strerror}"
    yield from ((path, text) for path, text in _certificates(settings) if path not in unreadable)


def _certificates(settings: Settings) -> Iterator[tuple[DataPath, str]]:
    """Loads them as the connections would, where there are connections that would."""
    if any(url.startswith("wss:") for url in settings.ads.endpoints):
        for name, text in _tls_problems(settings.ads.tls.files()):
            yield ("ads", "tls", name), text
    client = settings.kafka.client
    if client.get("security_protocol") in ("SSL", "SASL_SSL"):
        for name, text in _tls_problems(_kafka_files(client)):
            yield ("kafka", "client", _KAFKA_NAMES[name]), text


_KAFKA_NAMES = {
    "ca_file": "ssl_cafile",
    "cert_file": "ssl_certfile",
    "key_file": "ssl_keyfile",
    "key_password": "ssl_password",
}


def _kafka_files(client: dict[str, Any]) -> TlsFiles:
    ca_file, cert_file, key_file = (
        Path(given) if isinstance(given := client.get(name), str) else None for name in FILES[:3]
    )
    password = client.get("ssl_password")
    return TlsFiles(ca_file, cert_file, key_file, None if password is None else str(password))


def _tls_problems(files: TlsFiles) -> Iterator[tuple[str, str]]:
    try:
        client_context(files)
    except TlsProblem as problem:
        yield problem.setting, str(problem)


def rooted(settings: Settings, base: Path) -> Settings:
    """The settings with every path made absolute: relative ones are relative to the configuration file."""
    tls, dictionary = settings.ads.tls, settings.dictionary
    return settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(
                update={
                    "client": {
                        name: str(base / value) if name in FILES and isinstance(value, str) else value
                        for name, value in settings.kafka.client.items()
                    }
                }
            ),
            "ads": settings.ads.model_copy(update={"tls": tls.model_copy(update=_absolute(tls, base))}),
            "answers": None if settings.answers is None else base / settings.answers,
            "dictionary": dictionary.model_copy(update=_absolute(dictionary, base)),
        }
    )


def _absolute(section: Any, base: Path) -> dict[str, Path]:
    return {name: base / value for name, value in section if isinstance(value, Path)}


def _files(settings: Settings) -> Iterator[tuple[DataPath, Path]]:
    for name, value in settings.ads.tls:
        if isinstance(value, Path):
            yield ("ads", "tls", name), value
    for name, value in settings.dictionary:
        if value is not None:
            yield ("dictionary", name), value
    if settings.answers is not None:
        yield ("answers",), settings.answers
    for name in FILES:
        if isinstance(value := settings.kafka.client.get(name), str):
            yield ("kafka", "client", name), Path(value)


def _topics(kafka: Kafka, orders: str | None) -> Iterator[tuple[DataPath, str]]:
    if kafka.results in kafka.prices:
        yield ("kafka", "results"), "is also a topic of prices: results would be read as prices; name another topic"
    if kafka.rejects is not None and kafka.rejects in kafka.prices:
        yield ("kafka", "rejects"), "is also a topic of prices: rejects would be read again; name another topic"
    if orders is not None and orders in {*kafka.prices, kafka.results, kafka.rejects}:
        yield ("control", "topic"), "is also a topic of prices, results or rejects; name another topic"
    if kafka.rejects == kafka.results:
        yield ("kafka", "rejects"), "is also the topic of results; name another topic"


def _kept_topics(settings: Settings) -> Iterator[tuple[DataPath, str]]:
    """What an audit needs beside results: each goes into a topic of its own."""
    kafka, taken = settings.kafka, {"control.topic": settings.control.topic}
    taken |= {"kafka.results": kafka.results, "kafka.rejects": kafka.rejects}
    for name, topic in (("rules_topic", settings.rules_topic), ("events_topic", settings.events_topic)):
        if topic is None:
            continue
        same = next((other for other, named in taken.items() if named == topic), None)
        if topic in kafka.prices:
            same = "kafka.prices"
        if same is not None:
            yield (name,), f"is also {same}; name another topic"
        taken[name] = topic


def _sasl(client: dict[str, Any]) -> Iterator[tuple[DataPath, str]]:
    """kafka-python says these things only once it connects."""
    if str(client.get("security_protocol")).startswith("SASL_"):
        if client.get("sasl_mechanism") is None:
            yield ("kafka", "client", "sasl_mechanism"), "is missing (security_protocol asks for SASL)"
        elif client["sasl_mechanism"] not in ("GSSAPI", "AWS_MSK_IAM"):
            for name in ("sasl_plain_username", "sasl_plain_password"):
                if client.get(name) is None:
                    yield ("kafka", "client", name), "is missing (sasl_mechanism needs it)"
    elif client.get("sasl_mechanism") is not None:
        yield (
            ("kafka", "client", "sasl_mechanism"),
            "has no effect: set security_protocol to SASL_SSL or SASL_PLAINTEXT",
        )


def _post_user(ads: Ads) -> Iterator[tuple[DataPath, str]]:
    number = ads.application_id
    if ads.post_user.id is None and not (
        number.isascii() and number.isdigit() and len(number) <= 10 and int(number) < 2**32
    ):
        yield ("ads", "application_id"), "is not a number, so it cannot stand for the poster: set ads.post_user.id"
    if ads.post_user.address is None and ads.position is not None:
        try:
            ipaddress.IPv4Address(ads.position.partition("/")[0])
        except ValueError:
            yield (
                ("ads", "position"),
                "does not begin with an IPv4 address, so it cannot stand for the poster: set ads.post_user.address",
            )
    if ads.service.isdigit():
        yield ("ads", "service"), "is a number; expected the service's name"
