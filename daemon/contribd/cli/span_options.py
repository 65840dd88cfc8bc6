"""Options that say which records of the prices topics are meant."""

from typing import Annotated, Any

import typer


def since_option(default: str) -> Any:
    """``--since``, whose help says what is meant without it."""
    return typer.Option(
        "--since",
        metavar="TIME",
        help="Records stamped at or after: 2026-11-22T10:15Z (UTC if it names no zone), or how long ago: 15m, 1h30m, "
        f"2d. Default: {default}.",
        show_default=False,
    )


UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Records stamped at or before; as --since.", show_default=False),
]
OffsetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--offset",
        metavar="TOPIC:PARTITION:OFFSET",
        help="This record; prices:3:1812..1900 for several, prices:3:1812.. for all from there on. May be repeated.",
        show_default=False,
    ),
]
