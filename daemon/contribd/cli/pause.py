"""``contribd pause``: see its help."""

from typing import Annotated

import typer

from contribd.cli.common import ConfigOption, JsonOption
from contribd.cli.daemon_socket import SocketOption
from contribd.cli.ordering import (
    AllOption,
    DeskOption,
    MappingOption,
    ReasonOption,
    RicArgument,
    answer_to,
    show,
    what_of,
)
from contribd.engine.records.standing import OrderKind
from contribd.orders import Answer
from contribd.pausing.pause_orders import PauseOrder
from contribd.quoting.quote_orders import QuoteOrder

WithdrawOption = Annotated[
    bool, typer.Option("--withdraw", help="Once it holds, withdraw what is in the market of it: see contribd withdraw.")
]

NOT_WITHDRAWN = (
    "nothing was withdrawn, since the pause does not hold everywhere: contribd withdraw does it all the same"
)

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pause(
    reason: ReasonOption,
    ric: RicArgument = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    everything: AllOption = False,
    withdraw: WithdrawOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post nothing of some RICs, of a mapping, of a desk, or nothing at all, until it is resumed.

    The running daemon is asked, and answers once nothing of it can be posted any more, with what is in force now. The
    records of what is paused have results SUPPRESSED that name the order; they are not posted later. Prices in
    the market stay as they are, without --withdraw. Given twice it is done once. Exit code 1: it does not hold, or not
    all was withdrawn, and the answer says why.
    """
    what = what_of(ric, mapping, desk, everything)
    answer = answer_to(PauseOrder, what, reason, config, socket)
    if withdraw and answer.done:
        blanks = answer_to(lambda *given: QuoteOrder(OrderKind.WITHDRAW, *given), what, reason, config, socket)
        answer = Answer(blanks.done, f"{answer.text}\n{blanks.text}")
    elif withdraw:
        answer = Answer(False, f"{answer.text}\n{NOT_WITHDRAWN}")
    show(answer, as_json=as_json)
