"""``contribd pause``: see its help."""

import typer

from contribd.cli.common import ConfigOption, JsonOption
from contribd.cli.daemon_socket import SocketOption
from contribd.cli.ordering import AllOption, DeskOption, MappingOption, ReasonOption, RicArgument, give, what_of
from contribd.pausing.pause_orders import PauseOrder

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pause(
    reason: ReasonOption,
    ric: RicArgument = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    everything: AllOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post nothing of some RICs, of a mapping, of a desk, or nothing at all, until it is resumed.

    The running daemon is asked, and answers once nothing of it can be posted any more, with what is in force now. The
    records of what is paused have results SUPPRESSED that name the order; they are not posted later. Prices in
    the market stay as they are. Given twice it is done once. Exit code 1: it does not hold, and the answer says why.
    """
    give(PauseOrder, what_of(ric, mapping, desk, everything), reason, config, socket, as_json=as_json)
