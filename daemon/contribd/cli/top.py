"""``contribd top``: a running daemon, live."""

import json
import sys
import time
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption
from contribd.cli.terminal_options import LimitOption, in_terminal, show
from contribd.config.errors import ConfigError
from contribd.terminal.daemon_reader import DaemonReader
from contribd.terminal.top_model import TopModel
from contribd.terminal.top_view import TopView

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - an address to ask, not to listen on
"""Addresses to listen on that are none to ask, and the one that is."""


@app.command()
def top(
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The daemon's HTTP endpoint: http://pricing-host-1:9820. Default: http.listen of the configuration.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    interval: Annotated[float, typer.Option("--interval", min=0.25, help="Seconds between two questions.")] = 1.0,
    as_json: JsonOption = False,
    limit: LimitOption = None,
) -> None:
    """A running daemon, live: what it does and why, rates, latencies, partitions, what is wrong.

    In a terminal: tables to scroll, sort, filter and pause; ? lists the keys. In a pipe a line each time it is asked,
    with --json a JSON document each. A daemon that does not answer is asked on; with --limit, exit code 1 says that it
    did not answer at the end.
    """
    reader = DaemonReader(_checked(url) if url else _configured(config), interval)
    if in_terminal(as_json=as_json):
        show("top", lambda: TopView(reader))
    elif not _print(reader, interval, limit, as_json=as_json):
        raise typer.Exit(EXIT_FAILED)


def _print(reader: DaemonReader, interval: float, limit: int | None, *, as_json: bool) -> bool:
    model, due = TopModel(reader.url), time.monotonic()
    for number in count(1):
        model.take(reader.ask())
        now = time.time()
        sys.stdout.write((json.dumps(model.document(now), ensure_ascii=False) if as_json else model.line(now)) + "\n")
        sys.stdout.flush()
        if number == limit:
            break
        due = max(due + interval, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    return model.answers


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url: {url!r}: expected http://host:port, such as http://127.0.0.1:9820")
    return url


def _configured(config: Path | None) -> str:
    """Where the configuration says that the daemon listens. What else is wrong with it here does not matter."""
    # Heavy, and needed only without --url.
    from contribd.config.load import inspect

    found = inspect(config)
    if problems := [each for each in found.problems if each.path.partition(".")[0] in ("", "http")]:
        raise ConfigError(problems)
    listen = found.settings.http.listen
    if listen is None:
        raise typer.BadParameter("http.listen is null: the daemon serves nothing to look at; another one: --url")
    host, _, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    return f"http://{EVERYWHERE.get(bare, host)}:{port}"
