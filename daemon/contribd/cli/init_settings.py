"""What ``contribd init`` is told of Kafka and the ADS, put into the starting configuration."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from contribd.config.document import parse_document
from contribd.config.errors import Problem
from contribd.config.interpolate import Interpolation
from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.config.validate import validate
from contribd.drafting.writing import quoted

AUTHS: Final = ("user", "password-grant", "client-credentials")
"""Ways to log in, as ``ads.auth`` calls them."""

SECRETS: Final = {"password-grant": "CONTRIBD_ADS_PASSWORD", "client-credentials": "CONTRIBD_ADS_SECRET"}
"""The variable that the secret of each is taken from: it is never asked for and never written."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9$][A-Za-z0-9_./:=?&${}-]*[A-Za-z0-9_/}]?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of the surroundings; None where nothing was."""

    kafka: str | None = None
    prices: str | None = None
    results: str | None = None
    group: str | None = None
    ads: tuple[str, ...] = ()
    service: str | None = None
    user: str | None = None
    auth: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    username: str | None = None

    @property
    def anything(self) -> bool:
        """Whether anything was said."""
        return any(getattr(self, each.name) for each in fields(self))

    @property
    def secret(self) -> str | None:
        """The environment variable that the configuration needs."""
        return SECRETS.get(self.auth or "")


OPTIONS: Final[dict[DataPath, str]] = {
    ("kafka", "bootstrap_servers"): "--kafka",
    ("kafka", "prices"): "--prices",
    ("kafka", "results"): "--results",
    ("kafka", "group_id"): "--group",
    ("ads", "endpoints"): "--ads",
    ("ads", "service"): "--service",
    ("ads", "user"): "--user",
    ("ads", "auth", "token_url"): "--token-url",
    ("ads", "auth", "client_id"): "--client-id",
    ("ads", "auth", "username"): "--username",
    ("ads", "auth"): "--auth",
}
"""By which option each key is said."""


def configured(starter: str, told: Told, mapping: str | None) -> str:
    """The starting configuration with what was told. ``mapping``: the one mapping file that it names."""
    text = starter
    for key, value in (
        ("bootstrap_servers", told.kafka),
        ("prices", told.prices),
        ("results", told.results),
        ("group_id", told.group),
        ("service", told.service),
        ("user", told.user),
    ):
        text = text if value is None else _with_value(text, key, _value(key, value))
    if told.ads:
        endpoints = "\n".join(f"    - {_scalar(each)}" for each in told.ads)
        text = _replaced(text, r"(?m)^()    - \$\{CONTRIBD_ADS\S+$", endpoints)
    if told.auth not in (None, "user"):
        text = _replaced(text, r'(?m)^(  application_id: "256"\n)', "\n".join(_auth(told)) + "\n")
    if mapping is not None:
        text = _replaced(text, r"(?m)^()mappings: \[mappings/\*\.yaml\]        #.*$", _mappings(mapping))
    return text


def problems_of(text: str) -> list[tuple[str, Problem]]:
    """What is wrong with what was told, each with its option. Variables count as set."""
    interpolation = Interpolation({}, lenient=True)
    document = parse_document(text.encode(), Path("contribd.yaml"), interpolation)
    outcome = validate(document, Settings, interpolation.unknown)
    found = [*document.problems, *outcome.problems]
    order = list(OPTIONS.values())
    return sorted(((_option(each), each) for each in found), key=lambda pair: order.index(pair[0]) if pair[0] else -1)


def _option(problem: Problem) -> str:
    path = tuple(step.partition("[")[0] for step in problem.path.split("."))
    return next((option for key, option in OPTIONS.items() if path[: len(key)] == key), "")


def _with_value(text: str, key: str, value: str) -> str:
    """The line of this key with this value, its comment where it was if there is room."""
    found = re.search(rf"(?m)^  {key}: (\S+ *)(#)?", text)
    value = value if found is None or found[2] is None else f"{value}   ".ljust(len(found[1]))
    return _replaced(text, rf"(?m)^(  {key}: )\S+(?: *(?=#))?", value)


def _replaced(text: str, pattern: str, value: str) -> str:
    """The starting configuration is ours: a place that is not there is a fault of ours."""
    made, times = re.subn(pattern, lambda match: match[1] + value, text)
    if times != 1:
        raise RuntimeError(f"the starting configuration has {times} places {pattern}")
    return made


def _value(key: str, value: str) -> str:
    several = [part.strip() for part in value.split(",")]
    return f"[{', '.join(map(quoted, several))}]" if key == "prices" and len(several) > 1 else _scalar(value)


def _scalar(value: str) -> str:
    """A value as it is written: ``${NAME}`` stays a variable."""
    return value if _PLAIN.match(value) and not value.isdigit() else quoted(value)


def _auth(told: Told) -> list[str]:
    names = ["token_url", "client_id", *(["username"] if told.auth == "password-grant" else [])]
    given = [f"    {name}: {_scalar(value)}" for name in names if (value := getattr(told, name)) is not None]
    key = "password" if told.auth == "password-grant" else "client_secret"
    secret = f"    {key}: ${{{told.secret}}}"
    hint = f"# under systemd: ${{credential:ads-{key.replace('_', '-')}}}"
    return ["  auth:", f"    type: {told.auth}", *given, f"{secret}   {hint}"]


def _mappings(mapping: str) -> str:
    return (
        f"mappings: [{mapping}]   # relative to this file; mappings/*.yaml for all of them; the first that matches wins"
    )
