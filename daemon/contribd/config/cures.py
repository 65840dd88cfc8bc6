"""What to write instead of what is wrong with a value or a key."""

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

from contribd.config.codes import FileCode
from contribd.config.nearest import nearest
from contribd.config.nodes import DataPath

_CURE: Final = re.compile(
    r"(?:; |: |, )((?:set|name|write|install|add|choose|use|remove|see|it must)\b[^;]*(?:; \$\$.*)?)\Z", re.DOTALL
)
_NEAR: Final = re.compile(r"did you mean (.+)\?\Z")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?\Z")

_EXAMPLES: Final = {
    "bootstrap_servers": "bootstrap_servers: kafka1:9092",
    "endpoints": "endpoints: [ws://ads1:15000/WebSocket]",
    "service": "service: and the name of the service that is posted to",
    "kafka": "kafka: with bootstrap_servers: kafka1:9092 below it",
    "ads": "ads: with endpoints and service below it",
    "name": "name: and a name of your own, that stands in every result",
    "ric": 'ric: "{pair}=TRCC"',
    "fields": "fields: {BID: bid}",
    "that": "that: bid > 0",
    "record": "record: {bid: 1.5}",
    "token_url": "token_url: https://…",
}


class Finding(NamedTuple):
    """What is said of one thing wrong, in the order that a document's problem takes it."""

    text: str
    code: str
    cure: str


def split(text: str, code: str, otherwise: str) -> Finding:
    """A text that tells its cure at its end, in two; ``otherwise`` is the cure of one that tells none."""
    if found := _CURE.search(text):
        return Finding(text[: found.start()], code, found[1])
    if near := _NEAR.search(text):
        return Finding(text, code, f"write {near[1]}")
    return Finding(text, code, otherwise)


def of_variable(text: str) -> Finding:
    """What is wrong with something to be interpolated."""
    if text.startswith("${ in a mapping file"):
        said, _, cure = text.rpartition("; ")
        return Finding(said, FileCode.MAPPING_VARIABLE, cure)
    if unset := re.match(r"\$\{(\w+)\} is not set", text):
        return split(text, FileCode.VARIABLE, f"set {unset[1]} in the environment")
    if loading := re.search("; systemd sets it for (.*)", text):
        return Finding(text[: loading.start()], FileCode.VARIABLE, f"add {loading[1]} to the unit of the service")
    if "cannot be read" in text:
        return Finding(text, FileCode.VARIABLE, "check the path, and that this user may read it")
    return Finding(
        text, FileCode.VARIABLE, "write one of these forms" if "expected ${" in text else "write another one"
    )


def missing(key: str, text: str) -> Finding:
    """A key that is not there."""
    return Finding(text, FileCode.MISSING_KEY, f"add {_EXAMPLES.get(key, f'{key}:, and its value')}")


def misfit(wanted: str, got: str, value: Any, path: DataPath) -> Finding:
    """A value that is not what was wanted: ``wanted`` begins with "expected", ``got`` is how the value is told."""
    main, _, hint = wanted.partition("; ")
    text = f"{main}, got {got}" if got else main
    name = str(path[-1]) if path and isinstance(path[-1], str) else ""
    if near := _NEAR.search(wanted):
        return Finding(text, FileCode.VALUE, f"write {near[1]}")
    if name == "post" and isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return Finding(text, FileCode.KIND, "write posts: where one record makes several")
    if main in _BY_KIND or (got and isinstance(value, dict | list)):
        return Finding(text, FileCode.KIND, _other_kind(main, value, name))
    if main.startswith("expected text") and isinstance(value, bool | int | Decimal):
        return Finding(text, FileCode.KIND, f'write "{_written(value)}" in quotes')
    return Finding(text, FileCode.VALUE, _right_value(main, hint, value))


def _right_value(main: str, hint: str, value: Any) -> str:
    if hint == "write the unit":
        return f"write the unit, as in {value}s"
    if choices := re.fullmatch(r"expected ([\w-]+(?:, [\w-]+)* or [\w-]+)", main):
        return _choice(re.split(r", | or ", choices[1]), value)
    if example := re.search(r", as in (\S+?)(?=,? |,?\Z)", main):
        return f"write it as in {example[1]}"
    return hint or f"write {main.removeprefix('expected ')}"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choice(choices: list[str], value: Any) -> str:
    near = nearest(str(value).lower(), choices)
    return f"write {near}" if near else f"write one of {', '.join(choices)}"


_SECTION, _LIST, _TEXT = "expected a section (key: value)", "expected a list", "expected text"
_BY_KIND: Final = frozenset({_SECTION, _LIST})


def _other_kind(main: str, value: Any, name: str) -> str:
    """The cure where a list, a section or a text stands in place of another of them."""
    if main == _LIST:
        if isinstance(value, dict):
            return f"write '- ' before the first key of each item below {name}:, and indent the rest under it"
        return (
            f"write {name}: [{value}]" if isinstance(value, str) else f"write its items below {name}:, each behind '- '"
        )
    if main == _SECTION:
        if isinstance(value, list):
            return f"write {name}: {{key: value}}; where its lines begin with '- ', take that away"
        if isinstance(value, str) and (tight := re.match(r"(\w+):(\S.*)", value)):
            return f"write {tight[1]}: {tight[2]}, with a space"
        return f"write key: value below {name}:" if name else "write key: value"
    wanted = main.removeprefix("expected ")
    return f"write {name}: and {wanted}" if name and not name.isdigit() else f"write {wanted}"


def about_key(text: str, near: str, homes: list[str], foreign: str) -> Finding:
    """A key that is not one: of the nearest, of where it belongs, or of what another tool calls so."""
    if near or foreign:
        cure = f"write {near or foreign}"
    elif homes:
        cure = f"move it into {homes[0]}"
    else:
        cure = "remove it, or write '#' before it to keep it as a comment"
    return Finding(text, FileCode.UNKNOWN_KEY, cure)


def between(path: DataPath, text: str) -> Finding:
    """What is wrong between the keys of the configuration, or with a file that one names."""
    if "cannot be read" in text:
        return split(text, FileCode.FILE, "check the path, and that this user may read the file")
    secured = path[:2] == ("ads", "tls") or str(path[-1]).startswith("ssl_")
    if secured and ("PEM" in text or "key" in text):
        return split(text, FileCode.CERTIFICATE, "name the right file, or its pass phrase")
    if path[:2] == ("kafka", "client"):
        return _kafka_client(str(path[-1]), text)
    return split(text, FileCode.CONTRADICTION, "change one of the two")


def is_about_key(text: str) -> bool:
    """Whether the key itself is what is wrong."""
    return text.startswith(("contribd decides", "cannot be set from a file", "kafka-python has no such"))


def _kafka_client(name: str, text: str) -> Finding:
    code = FileCode.KAFKA_CLIENT
    if text.startswith(("contribd decides", "cannot be set")):
        return Finding(text, code, "remove it")
    if text.startswith("is missing"):
        return Finding(text, code, f"add {name}:, and its value")
    if less := re.match(r"(\w+) \(.*\) must be less than (\w+)", text):
        return Finding(text, code, f"lower {less[1]}, or raise {less[2]}")
    if text.startswith("expected "):
        return split(text, code, f"write {re.split('; |, got', text)[0].removeprefix('expected ')}")
    return split(text, code, "remove it" if "no such setting" in text else "change one of the two")


FOREIGN: Final = {
    "from": ("source", "path", "expr", "expression", "input", "src", "json_path", "jsonpath", "column"),
    "value": ("const", "constant", "literal", "static"),
    "round": ("precision", "decimals", "digits", "scale", "places"),
    "as": ("type", "datatype", "data_type", "convert", "cast", "to"),
    "lookup": ("map", "mapping", "enum", "translate", "table", "dictionary", "values"),
    "default": ("else", "otherwise", "fallback", "default_value"),
    "missing": ("optional", "required", "on_missing", "if_missing", "nullable"),
    "when": ("if", "condition", "filter", "match", "where", "predicate"),
    "ric": ("symbol", "instrument", "item", "item_name", "ricname", "target"),
    "fields": ("field", "columns", "outputs", "output", "properties"),
    "checks": ("check", "validate", "validation", "assert", "asserts", "assertions", "rules", "constraints"),
    "that": ("check", "condition", "expr", "expression", "assert", "if"),
    "text": ("message", "msg", "error", "reason", "description"),
    "post": ("expected", "expect", "msg_type", "message_type", "update_type", "output"),
    "record": ("input", "data", "message", "payload", "given"),
    "rejected": ("error", "fails", "rejects", "reject"),
    "tests": ("test", "cases", "examples"),
    "mappings": ("mapping", "rules", "routes", "mapping_files"),
    "each": ("foreach", "for_each", "for", "loop", "over", "iterate", "explode", "unarchive", "with_items"),
    "posts": ("targets", "destinations", "splits", "messages"),
    "all_or_nothing": ("atomic", "transactional"),
    "let": ("vars", "variables", "locals", "define", "with"),
    "name": ("id", "title", "label"),
    "include": ("includes", "import", "imports", "extends"),
    "tables": ("lookups", "enrichment_tables", "datasets"),
    "bootstrap_servers": ("brokers", "servers", "hosts", "seed_brokers", "bootstrap.servers"),
    "group_id": ("group", "consumer_group", "group.id"),
    "prices": ("topic", "topics", "source_topic"),
    "endpoints": ("hosts", "urls", "url", "servers", "endpoint", "addresses", "host"),
    "user": ("username", "login", "dacs_user"),
    "application_id": ("app_id", "appid", "applicationId"),
    "client": ("consumer", "producer", "options", "config"),
    "listen": ("port", "address", "bind"),
    "level": ("loglevel", "log_level", "verbosity"),
}
"""What other tools call the keys that are meant."""
