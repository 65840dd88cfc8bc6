"""``contribd pause``, ``resume``, ``withdraw`` and ``republish``: what they ask of the daemon, over its real socket."""

import json
import os
import pwd
from collections.abc import Iterator

import pytest
from tests.cli.answering import Answering

from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.standing import OrderKind
from contribd.orders import Answer
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import PauseOrder, ResumeOrder
from contribd.quoting.quote_orders import QuoteOrder

ME = Caller(f"{pwd.getpwuid(os.getuid()).pw_name} (uid {os.getuid()})", os.getuid())


CONFIG = """\
kafka: {bootstrap_servers: "127.0.0.1:1"}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
control: {socket: %s}
mappings: [nowhere.yaml]
"""


@pytest.fixture
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    answer = Answer(True, "RICs EUR* paused\nin force: [EUR*]")
    with Answering(tmp_path_factory.mktemp("d"), answer, CONFIG).listening() as made:
        yield made


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["EUR*"], Selector(PauseKind.RIC, "EUR*")),
        (["--mapping", "fx-spot"], Selector(PauseKind.MAPPING, "fx-spot")),
        (["--desk", "rates"], Selector(PauseKind.DESK, "rates")),
        (["--all"], Selector(PauseKind.ALL)),
    ],
)
def test_what_is_named_reaches_the_daemon_with_who_and_why(
    daemon: Answering, arguments: list[str], what: Selector
) -> None:
    code, out, _ = daemon.run("pause", *arguments, "--reason", " feed broken ")
    assert (code, out) == (0, "RICs EUR* paused\nin force: [EUR*]\n")
    daemon.run("resume", *arguments, "--reason", "it is back")
    [(pause, by), (resume, _)] = daemon.asked
    assert (pause, resume) == (PauseOrder(what, "feed broken"), ResumeOrder(what, "it is back"))
    assert (by, by.uid) == (ME, ME.uid)


EUR = Selector(PauseKind.RIC, "EUR*")


@pytest.mark.parametrize("kind", [OrderKind.WITHDRAW, OrderKind.REPUBLISH])
def test_an_order_about_quotes_reaches_the_daemon(daemon: Answering, kind: OrderKind) -> None:
    assert daemon.run(str(kind), "EUR*", "--reason", "wrong price")[0] == 0
    assert daemon.asked == [(QuoteOrder(kind, EUR, "wrong price"), ME)]


def test_what_is_paused_can_be_withdrawn_as_well(daemon: Answering) -> None:
    code, out, _ = daemon.run("pause", "EUR*", "--withdraw", "--reason", "wrong price")
    assert (code, out) == (0, f"{daemon.answer.text}\n{daemon.answer.text}\n")
    orders = [order for order, _ in daemon.asked]
    assert orders == [PauseOrder(EUR, "wrong price"), QuoteOrder(OrderKind.WITHDRAW, EUR, "wrong price")]


def test_nothing_is_withdrawn_where_the_pause_does_not_hold(daemon: Answering) -> None:
    daemon.answer = Answer(False, "RICs EUR* paused in this instance")
    code, _, said = daemon.run("pause", "EUR*", "--withdraw", "--reason", "wrong price")
    assert code == 1
    assert said.startswith("RICs EUR* paused in this instance\nnothing was withdrawn, ")
    assert len(daemon.asked) == 1


def test_an_order_that_changes_nothing_says_so_on_stderr(daemon: Answering) -> None:
    daemon.answer = Answer(True, "nothing changes: RICs EUR not paused", {"changes": False})
    assert daemon.run("resume", "EUR", "--reason", "x") == (0, "", "nothing changes: RICs EUR not paused\n")
    code, out, _ = daemon.run("resume", "EUR", "--reason", "x", "--json")
    assert (code, json.loads(out)["changes"]) == (0, False)


def test_what_does_not_hold_is_exit_1(daemon: Answering) -> None:
    daemon.answer = Answer(False, "no mapping in force is called spit")
    assert daemon.run("pause", "--mapping", "spit", "--reason", "x") == (1, "", "no mapping in force is called spit\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "EUR*"],
        ["pause", "--reason", "x"],
        ["pause", "EUR*", "--all", "--reason", "x"],
        ["pause", "--desk", "a", "--mapping", "b", "--reason", "x"],
        ["pause", "EUR*", "--reason", " "],
        ["pause", " EUR*", "--reason", "x"],
        ["withdraw", "--reason", "x"],
        ["republish", "EUR*", "--all", "--reason", "x"],
        ["resume", "--desk", "", "--reason", "x"],
    ],
)
def test_what_is_not_said_clearly_is_not_asked(daemon: Answering, arguments: list[str]) -> None:
    code, _, said = daemon.run(*arguments)
    assert code == 2, said
    assert daemon.asked == []
