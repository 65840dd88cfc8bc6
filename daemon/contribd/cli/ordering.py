"""What the commands that give orders have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import diagnostics, output, print_json
from contribd.cli.daemon_socket import sockets_of
from contribd.control.client import Unreachable, ask
from contribd.control.requests import BadRequest, reason_of
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.orders import Answer, Order
from contribd.pausing.selectors import selector_of

RicArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[RIC]",
        help="RICs like this, in whatever service: EUR=, 'EUR*', '*=TRCC'. Capitals matter; * and ? stand for any "
        "characters and one, [seq] for one of some.",
        show_default=False,
    ),
]
MappingOption = Annotated[
    str | None, typer.Option("--mapping", metavar="NAME", help="All that this mapping posts.", show_default=False)
]
DeskOption = Annotated[
    str | None,
    typer.Option("--desk", metavar="NAME", help="All mappings that have this desk.", show_default=False),
]
AllOption = Annotated[bool, typer.Option("--all", help="Everything.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the order.")]

MakeOrder: TypeAlias = Callable[[Selector, str], Order]


def what_of(ric: str | None, mapping: str | None, desk: str | None, everything: bool) -> Selector:
    """What an order is about. Raises ``typer.BadParameter`` where that is not one thing."""
    given = {PauseKind.RIC: ric, PauseKind.MAPPING: mapping, PauseKind.DESK: desk}
    named = [(kind, value) for kind, value in given.items() if value is not None]
    if len(named) + everything != 1:
        raise typer.BadParameter("name one of: a RIC or a pattern of RICs, --mapping, --desk, --all")
    what = selector_of({named[0][0]: named[0][1]} if named else {PauseKind.ALL: True})
    if what is None:
        raise typer.BadParameter("a name is one line of text without spaces around it")
    return what


def give(
    make: MakeOrder, what: Selector, reason: str, config: Path | None, socket: Path | None, *, as_json: bool
) -> None:
    """Gives the order to the running daemon, and says what came of it; exit code 1 where it does not hold."""
    show(answer_to(make, what, reason, config, socket), as_json=as_json)


def answer_to(make: MakeOrder, what: Selector, reason: str, config: Path | None, socket: Path | None) -> Answer:
    """What the running daemon says to the order."""
    try:
        order = make(what, reason_of(reason))
    except BadRequest as error:
        raise typer.BadParameter(str(error)) from None
    try:
        return ask(order, [socket] if socket is not None else list(sockets_of(config)))
    except Unreachable as error:
        return Answer(False, str(error))


def show(answer: Answer, *, as_json: bool) -> None:
    """Says what came of an order, on stderr where that is not what was ordered; exit code 1 where it does not hold."""
    if as_json:
        print_json({"done": answer.done, "text": answer.text, **answer.details})
    else:
        as_ordered = answer.done and answer.details.get("changes", True)
        (output() if as_ordered else diagnostics()).print(answer.text, markup=False, highlight=False)
    if not answer.done:
        raise typer.Exit(EXIT_FAILED)
