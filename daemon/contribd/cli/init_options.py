"""The options of ``contribd init``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from contribd.cli.init_settings import AUTHS


def _said(name: str, metavar: str, text: str, **more: Any) -> Any:
    return typer.Option(name, metavar=metavar, help=text, show_default=False, **more)


def _auth(value: str | None) -> str | None:
    if value is None or value in AUTHS:
        return value
    raise typer.BadParameter(f"expected one of {', '.join(AUTHS)}")


def pairs(given: Iterable[str]) -> dict[str, str]:
    """``NAME=EXPRESSION`` by the name."""
    found = {}
    for text in given:
        name, _, expression = text.partition("=")
        if not (name.strip() and expression.strip()):
            raise typer.BadParameter(f"{text!r}: expected NAME=EXPRESSION, as in BID=bid", param_hint="--field")
        found[name.strip()] = expression.strip()
    return found


Directory = Annotated[
    Path, typer.Argument(metavar="DIR", file_okay=False, help="Where to write; it is made where there is none.")
]
Sample = Annotated[
    Path | None,
    _said(
        "--sample",
        "FILE",
        "Records of yours, of which a mapping and its tests are made: a JSON object, a list of them, or one on each "
        "line; - for standard input.",
    ),
]
FromKafka = Annotated[
    bool,
    typer.Option(
        "--from-kafka",
        help="The same of the newest records in the topic of the prices. Reads only.",
        show_default=False,
    ),
]
Ric = Annotated[
    str | None, _said("--ric", "TEXT", "The RIC, with what the record gives in braces, as in '{symbol}=TRCC'.")
]
Fields = Annotated[
    list[str] | None, _said("--field", "NAME=EXPRESSION", "A field of the post, as in BID=b. May be repeated.")
]
Kafka = Annotated[str | None, _said("--kafka", "HOST:PORT", "Kafka brokers, several after commas.")]
Prices = Annotated[str | None, _said("--prices", "TOPIC", "The topic of the prices, several after commas.")]
Results = Annotated[str | None, _said("--results", "TOPIC", "The topic for the results.")]
Group = Annotated[str | None, _said("--group", "NAME", "The consumer group.")]
Ads = Annotated[
    list[str] | None,
    _said("--ads", "URL", "An ADS endpoint, as in ws://ads1:15000/WebSocket. May be repeated, in order of preference."),
]
Service = Annotated[str | None, _said("--service", "NAME", "The service to contribute to, as the ADS calls it.")]
User = Annotated[str | None, _said("--user", "NAME", "The user of the login.")]
Auth = Annotated[str | None, _said("--auth", "KIND", f"How to log in: {', '.join(AUTHS)}.", callback=_auth)]
TokenUrl = Annotated[str | None, _said("--token-url", "URL", "The token service, for the other two.")]
ClientId = Annotated[str | None, _said("--client-id", "ID", "Its client id; with password-grant the application key.")]
Username = Annotated[str | None, _said("--username", "NAME", "The machine account, for password-grant.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.", show_default=False)]
