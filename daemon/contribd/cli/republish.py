"""``contribd republish``: see its help."""

import typer

from contribd.cli.common import ConfigOption, JsonOption
from contribd.cli.daemon_socket import SocketOption
from contribd.cli.ordering import AllOption, DeskOption, MappingOption, ReasonOption, RicArgument, give, what_of
from contribd.engine.records.pauses import Selector
from contribd.engine.records.standing import OrderKind
from contribd.quoting.quote_orders import QuoteOrder

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def republish(
    reason: ReasonOption,
    ric: RicArgument = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    everything: AllOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post the values in the market once more, as after an ADS has lost them.

    What was accepted last is read in the results topic. Each instance of the group does it for its partitions. Nothing
    is posted that is older than contribution.max_age, that is paused or was withdrawn, or of a RIC for which a newer
    price waits. It makes no results. Exit code 1: something was not posted, and the answer says what and why.
    """
    give(_order, what_of(ric, mapping, desk, everything), reason, config, socket, as_json=as_json)


def _order(what: Selector, reason: str) -> QuoteOrder:
    return QuoteOrder(OrderKind.REPUBLISH, what, reason)
