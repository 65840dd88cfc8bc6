"""``contribd resume``: see its help."""

import typer

from contribd.cli.common import ConfigOption, JsonOption
from contribd.cli.daemon_socket import SocketOption
from contribd.cli.ordering import AllOption, DeskOption, MappingOption, ReasonOption, RicArgument, give, what_of
from contribd.pausing.pause_orders import ResumeOrder

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def resume(
    reason: ReasonOption,
    ric: RicArgument = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    everything: AllOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post again what was paused: name it as the pause did.

    The running daemon is asked, and answers with what is in force now. The next price of each RIC is posted; those that
    came meanwhile are not. With control.resume_approvals: 2 it takes two different users. Exit code 1: it was not done,
    and the answer says why.
    """
    give(ResumeOrder, what_of(ric, mapping, desk, everything), reason, config, socket, as_json=as_json)
