"""What the daemon does, in one word and one sentence: every state, by examples."""

from dataclasses import replace
from typing import Any

import pytest
from tests.ops.samples import ADS1, ADS2, snapshot

from contribd.ops.snapshot import DirectoryView, PauseView, SessionView, WrongView
from contribd.ops.verdict import VerdictState, short_name, verdict

GOOD = replace(snapshot(), services=(("TRCC", True),), wrong=(), wrong_counts=())
ALL = PauseView("1", "everything", "feed broken", "uid 1000 (anna)", 1_700_000_000.0, everything=True)
SOME = PauseView("2", "EUR*", "feed broken", "uid 1000 (anna)", 1_700_000_000.0)
AWAY = "consuming: broker k1:9092 does not answer"


def gone(state: str, failure: str | None = None, endpoints: tuple[str, ...] = (ADS1,)) -> SessionView:
    return SessionView(state, False, endpoints[0], endpoints, 1_700_000_050.0, failure)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "contributing to ads2, TRCC Up"),
        ({"services": ()}, "contributing to ads2"),
        (
            {"services": (("A", True), ("B", True), ("C", True), ("D", True))},
            "contributing to ads2, A, B, C and 1 more Up",
        ),
        ({"directory": DirectoryView(known=False)}, "contributing to ads2, which does not tell of its services"),
        # A part of it does not go
        ({"services": (("TRCC", True), ("PAGES", False))}, "degraded: service PAGES is Down at ads2"),
        (
            {
                "services": (("TRCC", True), ("PAGE", False)),
                "directory": DirectoryView(unknown=(("PAGE", "PAGES, TRCC"),)),
            },
            "degraded: service PAGE is unknown to ads2, which has PAGES, TRCC",
        ),
        ({"unreadable": ("prices-1 cannot be read",), "blocked": 1}, "degraded: prices-1 cannot be read"),
        ({"pauses": (SOME,)}, "degraded: EUR* paused by uid 1000 (anna): feed broken"),
        (
            {
                "wrong": (WrongView("TRY=", "TRCC", "refused"), WrongView("CHF=", "TRCC", "silent")),
                "wrong_counts": (("refused", 1), ("isolated", 0), ("silent", 1)),
            },
            "degraded: 1 RIC refused (TRY=); 1 RIC silent (CHF=)",
        ),
        (
            {
                "wrong": tuple(WrongView(ric, "TRCC", "refused") for ric in ("A", "B", "C", "D")),
                "wrong_counts": (("refused", 1_234),),
            },
            "degraded: 1,234 RICs refused (A, B, C, …)",
        ),
        ({"isolated": (("in doubt", 400),)}, "contributing to ads2, TRCC Up"),
        ({"warnings": ("a stranger is in the group",)}, "degraded: a stranger is in the group"),
        # Somebody wants it so
        ({"pauses": (ALL,)}, "paused by uid 1000 (anna): feed broken"),
        ({"pauses": (SOME, ALL)}, "paused by uid 1000 (anna): feed broken"),
        # Nothing goes
        ({"hold_ups": (AWAY,)}, f"not contributing: {AWAY}"),
        ({"hold_ups": (AWAY,), "pauses": (ALL,)}, f"not contributing: {AWAY}; paused by uid 1000 (anna): feed broken"),
        ({"unreadable": ("all of it",), "blocked": 2}, "not contributing: all of it"),
        ({"partitions": ()}, "not contributing: the consumer group has assigned no partition to this instance"),
        ({"partitions": (), "hold_ups": (AWAY,)}, f"not contributing: {AWAY}"),
        ({"session": gone("disconnected")}, "not contributing: about to connect to ads1"),
        ({"session": gone("connecting")}, "not contributing: connecting to ads1"),
        ({"session": gone("logging in")}, "not contributing: logging in to ads1"),
        (
            {"session": gone("connecting", "login refused: Login denied", (ADS1, ADS2))},
            "not contributing: no session with ads1 or ads2: login refused: Login denied",
        ),
        (
            {"session": replace(GOOD.session, moving=True)},
            "not contributing: leaving ads2 once its answers are in",
        ),
        (
            {"session": replace(GOOD.session, takes_posts=False)},
            "not contributing: ads2 says that it takes no posts (SupportOMMPost 0)",
        ),
        (
            {"services": (("TRCC", False),), "directory": DirectoryView(known=False, awaited=True)},
            "not contributing: waiting for the source directory of ads2",
        ),
        ({"services": (("TRCC", False),)}, "not contributing: service TRCC is Down at ads2"),
        (
            {
                "services": (("TRCC", False),),
                "directory": DirectoryView(unknown=(("TRCC", "DIRECT_FEED, PAGES"),)),
            },
            "not contributing: service TRCC is unknown to ads2, which has DIRECT_FEED, PAGES",
        ),
        # The end
        ({"stopping": True, "hold_ups": (AWAY,)}, "stopping: waiting for the answers to 7 posts"),
        ({"stopping": True, "outstanding": 1}, "stopping: waiting for the answers to 1 post"),
        (
            {"stopping": True, "outstanding": 0},
            "stopping: writing the last results and leaving the consumer group",
        ),
    ],
)
def test_each_state_is_said_in_one_sentence(changes: dict[str, Any], said: str) -> None:
    found = verdict(replace(GOOD, **changes))
    assert found.reason == said
    assert said.startswith(found.state.value)


def test_a_thread_that_hangs_keeps_it_from_contributing() -> None:
    found = verdict(GOOD, ["sink"])
    assert found.state is VerdictState.NOT_CONTRIBUTING
    assert found.reason == "not contributing: the sink thread makes no progress"


def test_services_that_are_away_are_named_as_far_as_a_sentence_goes() -> None:
    away = tuple((f"S{number}", False) for number in range(5))
    reason = verdict(replace(GOOD, services=(("TRCC", True), *away))).reason
    assert reason.startswith("degraded: service S0 is Down at ads2; ")
    assert reason.endswith("service S2 is Down at ads2; and 2 more services")


def test_a_state_lasts_as_long_as_it_is_the_same_whatever_the_reason() -> None:
    known = replace(GOOD, state_since=("degraded", 5.0), warnings=("one",))
    assert verdict(known).since == 5.0
    assert verdict(replace(known, warnings=("another",))).since == 5.0
    assert verdict(replace(known, warnings=())).since == known.taken_at


@pytest.mark.parametrize(
    ("endpoints", "names"),
    [
        ((ADS1, ADS2), ["ads1", "ads2"]),
        (("ws://h:1/WebSocket", "ws://h:2/WebSocket"), ["h:1", "h:2"]),
        (("ws://[::1]:15000/WebSocket",), ["::1"]),
    ],
)
def test_an_endpoint_is_called_by_its_host(endpoints: tuple[str, ...], names: list[str]) -> None:
    assert [short_name(each, endpoints) for each in endpoints] == names
