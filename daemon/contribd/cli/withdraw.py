"""``contribd withdraw``: see its help."""

import typer

from contribd.cli.common import ConfigOption, JsonOption
from contribd.cli.daemon_socket import SocketOption
from contribd.cli.ordering import AllOption, DeskOption, MappingOption, ReasonOption, RicArgument, give, what_of
from contribd.engine.records.pauses import Selector
from contribd.engine.records.standing import OrderKind
from contribd.quoting.quote_orders import QuoteOrder

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def withdraw(
    reason: ReasonOption,
    ric: RicArgument = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    everything: AllOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post blanks in place of quotes in the market, also of those that another process posted before this one.

    Blanked are the fields that the mapping lists under withdraw, where they hold a value: what was posted is read in
    the results topic. Each instance of the group does it for its partitions. A price that is newer than the order is
    left alone, and posted as it comes: pause what is to stay blank (contribd pause --withdraw). Each withdrawal has a
    result of its own. Exit code 1: something was not withdrawn, and the answer says what and why.
    """
    give(_order, what_of(ric, mapping, desk, everything), reason, config, socket, as_json=as_json)


def _order(what: Selector, reason: str) -> QuoteOrder:
    return QuoteOrder(OrderKind.WITHDRAW, what, reason)
