"""Options of ``contribd audit verify``: what is verified, and against what."""

from pathlib import Path
from typing import Annotated

import typer

from contribd.cli.span_options import since_option

SinceOption = Annotated[str | None, since_option("all there are")]
TopicOption = Annotated[
    list[str] | None,
    typer.Option(
        "--topic",
        metavar="TOPIC",
        help="Records of this prices topic, from its beginning. May be repeated. Default: all of kafka.prices.",
        show_default=False,
    ),
]
RulesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Rules that results name, as contribd rules show --json printed them. May be repeated.",
        show_default=False,
    ),
]
PartitionsOption = Annotated[
    list[int] | None,
    typer.Option(
        "--partitions",
        metavar="NUMBER",
        min=1,
        help="The results topic had so many partitions once. May be repeated.",
        show_default=False,
    ),
]
WorkOption = Annotated[
    Path | None,
    typer.Option(
        "--work",
        metavar="DIR",
        file_okay=False,
        help="Keep what was read there: a verification that was ended goes on from there. Default: a temporary one.",
        show_default=False,
    ),
]
ExportOption = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Verify what contribd audit export has written there, without Kafka; and that it is what its manifests "
        "say. With --trust, each manifest must be signed.",
        show_default=False,
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="NUMBER",
        min=1,
        help="Share the work among so many processes, at most one for each partition. Default: two for each processor "
        "core, 8 at most, or 1 where there is little to read.",
        show_default=False,
    ),
]
SealOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--seal",
        metavar="FILE|DIR",
        exists=True,
        help="Seals of the results topic: what was altered, removed, exchanged or cut off since is found. May be "
        "repeated. With --trust.",
        show_default=False,
    ),
]
TrustOption = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Public keys that seals, and manifests of an export, must be signed by: one in a line, and behind it "
        "since TIME, until TIME.",
        show_default=False,
    ),
]
TimestampTrustOption = Annotated[
    Path | None,
    typer.Option(
        "--timestamp-trust",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Root certificates (PEM) of the time stamping authorities that are trusted: time stamps of seals are "
        "verified. With --seal.",
        show_default=False,
    ),
]
