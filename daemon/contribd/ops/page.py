"""The status page for people: one self-contained HTML document made from the status document."""

from html import escape
from typing import Any

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The page loads nothing and runs nothing; its one style sheet is in it."""

_REFRESH = 2
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
table { border-collapse: collapse; } td, th { padding: .15rem 1rem .15rem 0; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.up { color: light-dark(#186a2b, #6fce86); } .down { color: light-dark(#a3161a, #ff8f87); font-weight: 600; }
small { opacity: .75; }
"""


def render_page(status: dict[str, Any]) -> str:
    """The page for one status document (see ``status_document``)."""
    sections = [
        _heading(status),
        _table("Session", ("", ""), _session_rows(status)),
        _table("Results", ("Status", "Code", "Records"), _count_rows(status["results"], "status", "code")),
        _table("Posts", ("Type", "Answer", "Posts"), _count_rows(status["posts"], "type", "answer")),
        _table(
            "Partitions",
            ("Topic", "Partition", "Position", "Committed", "Lag", "Waiting", "Paused"),
            [
                (p["topic"], p["partition"], p["position"], p["committed"], p["lag"], p["waiting"], p["paused"])
                for p in status["partitions"]
            ],
        ),
        _isolated(status["isolated_named"]),
        _table(
            "Sessions lost", ("Endpoint", "Reason", "Times"), _count_rows(status["reconnects"], "endpoint", "reason")
        ),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{_REFRESH}">'
        f'<meta name="viewport" content="width=device-width"><title>contribd {_text(status["instance"])}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(sections)}</body></html>\n"
    )


def _heading(status: dict[str, Any]) -> str:
    verdict = status["verdict"]
    look = "up" if verdict["state"] == "contributing" else "down"
    state = f'<span class="{look}">{_text(verdict["reason"])}</span>'
    return (
        f"<h1>contribd {_text(status['instance'])}: {state}</h1>"
        f"<small>version {_text(status['version'])}, configuration {_text(status['config'][:12])}, "
        f"up since {_text(status['started_at'])}, as of {_text(status['taken_at'])}</small>"
    )


def _session_rows(status: dict[str, Any]) -> list[tuple[Any, ...]]:
    session, window = status["session"], status["window"]
    rows: list[tuple[Any, ...]] = [
        ("State", f"{session['state']} since {session['since']}"),
        ("Endpoint", session["endpoint"]),
        ("Last failure", _failure(session)),
    ]
    rows += [(f"Service {service['name']}", "Up" if service["up"] else "Down") for service in status["services"]]
    return [
        *rows,
        ("Posts outstanding", f"{window['outstanding']} of at most {window['max']}"),
        ("Records waiting", status["records_waiting"]),
        ("Instruments in flight", status["instruments"]),
        ("Last ack", status["last_ack_at"]),
        ("Unmatched answers", status["unmatched_answers"]),
        ("Timestamps in the future", status["future_timestamps"]),
    ]


def _isolated(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    columns = ("RIC", "Service", "State", "Sessions ended", "Waits (s)")
    cells = [(r["ric"], r["service"], r["state"], r["sessions_ended"], round(r["wait"])) for r in rows]
    return _table("Instruments posted by themselves", columns, cells)


def _failure(session: dict[str, Any]) -> str | None:
    if session["last_failure"] is None:
        return None
    return f"{session['last_failure']} ({session['last_failure_at']})"


def _count_rows(counts: list[dict[str, Any]], first: str, second: str) -> list[tuple[Any, ...]]:
    return [(row[first], row[second], row["count"]) for row in counts]


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return f"<h2>{title}</h2><p>none</p>"
    head = "".join(f"<th>{column}</th>" for column in columns) if any(columns) else ""
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    return f'<td class="n">{value:,}</td>' if number else f"<td>{_text(value)}</td>"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(str(value))
