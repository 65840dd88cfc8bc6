"""``contribd skip``: an operator's decision to go on behind what cannot be read."""

from typing import Annotated

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics, output, print_json
from contribd.cli.daemon_socket import SocketOption, sockets_of
from contribd.control.client import Unreachable, ask
from contribd.control.requests import BadRequest, reason_of
from contribd.engine.records.offsets import Partition
from contribd.orders import Answer, SkipOrder
from contribd.results.filters import FilterError, parse_source

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def skip(
    place: Annotated[
        str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET", help="Where the partition waits, as the daemon says.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is in the results.")],
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on behind what cannot be read: an unknown codec, a checksum that fails.

    The running daemon is asked, and answers once it holds. Every offset that is skipped gets a REJECTED result that
    says who decided it, and why. Given twice it is done once. Exit code 1: it was not done, and the answer says why.
    """
    order = _order(place, reason)
    sockets = [socket] if socket is not None else list(sockets_of(config))
    try:
        answer = ask(order, sockets)
    except Unreachable as error:
        answer = Answer(False, str(error))
    if as_json:
        print_json({"done": answer.done, "text": answer.text})
    else:
        (output() if answer.done else diagnostics()).print(answer.text)
    if not answer.done:
        raise typer.Exit(EXIT_FAILED)


def _order(place: str, reason: str) -> SkipOrder:
    try:
        topic, number, offset = parse_source(place).rsplit(":", 2)
        return SkipOrder(Partition(topic, int(number)), int(offset), reason_of(reason))
    except (FilterError, BadRequest) as error:
        raise typer.BadParameter(str(error)) from None
