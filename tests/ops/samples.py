"""A snapshot with something in every part, for the tests of what reads it."""

from contribd.ops.snapshot import (
    ClockView,
    CountersView,
    EndpointView,
    HistogramView,
    IsolatedView,
    PartitionView,
    SessionView,
    Snapshot,
    WrongView,
)

ADS1, ADS2 = "ws://ads1:15000/WebSocket", "ws://ads2:15000/WebSocket"


def snapshot(not_ready: tuple[str, ...] = (), last_failure: str | None = "closed by the server") -> Snapshot:
    """A daemon in the middle of its work."""
    return Snapshot(
        taken_at=1_700_000_100.5,
        started_at=1_700_000_000.0,
        version="1.2.3",
        instance="pricing-host-1",
        config="c0ffee" * 10,
        session=SessionView("open", True, ADS2, (ADS1, ADS2), 1_700_000_050.0, last_failure, 1_700_000_040.0),
        endpoints=(
            EndpointView(ADS1, "resting", 2, "login refused", 1_700_000_112.5),
            EndpointView(ADS2, "open"),
        ),
        services=(("TRCC", True), ("OTHER", False)),
        state_since=("degraded", 1_700_000_060.0),
        outstanding=7,
        max_outstanding=500,
        waiting=12,
        instruments=9,
        isolated=(("in doubt", 0), ("offender", 1), ("silent", 0), ("watched", 0)),
        isolated_named=(IsolatedView("EUR=X", "TRCC", "offender", 3, 12.5),),
        wrong=(
            WrongView(
                "TRY=TRCC",
                "TRCC",
                "refused",
                1_700_000_070.0,
                1_700_000_099.0,
                "prices:0:1799",
                "fx-spot",
                "DeniedBySrc",
                "[500]: Unknown Item",
                {"meaning": "M.", "cause": "C.", "owner": "the ADS's administrators", "cure": "create it"},
            ),
            WrongView("EUR=X", "TRCC", "isolated", text="posted by itself (offender, 3 sessions ended by its posts)"),
            WrongView("CHF=TRCC", "TRCC", "silent", 1_700_000_010.0, 1_700_000_010.0, "prices:1:4", "fx-spot"),
        ),
        wrong_counts=(("refused", 1), ("unanswered", 0), ("rejected", 0), ("isolated", 1), ("silent", 1)),
        live_quotes=6,
        partitions=(
            PartitionView("prices", 0, 1812, 1800, 40, 12, False),
            PartitionView("prices", 1, 5, None, None, 0, True),
        ),
        counters=CountersView(
            results=(("ACK", "", 90), ("NAK", "SymbolUnknown", 3)),
            posts=(("Update", "ACK", 90), ("Update", "NAK", 3)),
            reconnects=((ADS1, "timeout", 2), (ADS2, "timeout", 1), (ADS2, "login refused", 1)),
            withdrawals=(("silent", "ACK", 5),),
            republished=(("ACK", 7),),
            unmatched_answers=4,
            future_timestamps=6,
        ),
        ack_seconds=HistogramView((0.001, 0.01, 1.0), (5, 80, 7, 1), 3.25),
        delivery_seconds=HistogramView((0.5, 2.5), (1, 0, 2), 9.0),
        last_ack_at=1_700_000_099.25,
        clock=ClockView(synchronized=True, offset=-0.00025, max_error=0.5),
        not_ready=not_ready,
        hold_ups=not_ready,
    )
