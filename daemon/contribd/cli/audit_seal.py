"""``contribd audit key`` and ``contribd audit seal``: signed checkpoints of the results topic."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn, Protocol

import typer

from contribd.audit.findings import Finding, Wrong
from contribd.cli import EXIT_FAILED
from contribd.cli.audit_stamps import stamp_seals, verify_stamps, without_seal, write_whole
from contribd.cli.audit_verifying import Options, print_finding
from contribd.cli.common import ConfigOption, diagnostics, output
from contribd.cli.result_views import iso
from contribd.config.load import load
from contribd.ops import log

if TYPE_CHECKING:
    from contribd.audit.notes import PrivateKey
    from contribd.audit.seals import Seal, SealFile, Trusted
    from contribd.streams.client.settings import KafkaSettings

SUFFIX = ".seal"


def key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who signs, such as audit.example.com/2026.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the private key goes; it must not be there yet.")
    ],
) -> None:
    """Make a key that signs seals: the private one goes into a file of its owner's alone, the public one is printed."""
    from contribd.audit.notes import NoteError, new_key

    try:
        made = new_key(name)
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(made.line() + "\n")
    except FileExistsError:
        fail(f"{out} is there already: a key is never written over; name another file")
    except (NoteError, OSError) as error:
        fail(str(error))
    output().print(str(made.public), soft_wrap=True)


def seal(
    keys: Annotated[
        list[Path],
        typer.Option(
            "--key",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A private key that signs it. May be repeated: while keys change, the old and the new one.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", file_okay=False, help="Where seals are; this one follows the newest there."
        ),
    ],
    timestamp: Annotated[
        str | None,
        typer.Option(
            "--timestamp",
            metavar="URL",
            help="Get a time stamp of it from the time stamping authority there (RFC 3161), and of each seal in the "
            "folder that has none. It is beside the seal, under its name and .tsr.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Seal what was written to the results topic since the last seal: a signed text with a root of each partition.

    Reads results and writes nothing to Kafka. Keep the seals, and the public key, where nobody who can write results
    can write. Exit code 1: nothing was sealed, or with --timestamp: a seal in the folder has no time stamp, and the
    next run asks for it again.
    """
    from contribd.audit.notes import NoteError, sign
    from contribd.audit.seals import digest_of
    from contribd.streams.traffic import TrafficError

    if timestamp is not None:
        _check_address(timestamp)
    settings = settings_of(config)
    try:
        signers = [private_key(file) for file in keys]
        out.mkdir(parents=True, exist_ok=True)
        before, written = _newest(out)
        previous = None if written is None else digest_of(written)
        made = _sealed(settings, before, previous)
        place = _write(out, made, sign(made.text(), signers))
    except (NoteError, TrafficError, OSError) as error:
        fail(str(error))
    records = sum(each.records for each in made.partitions.values())
    output().print(f"{place}: {records} records in {len(made.partitions)} partitions sealed", soft_wrap=True)
    if timestamp is not None:
        _stamp(out, timestamp)


def _check_address(url: str) -> None:
    from contribd.audit.stamp_client import problem_of

    if problem := problem_of(url):
        raise typer.BadParameter(problem, param_hint="--timestamp")


def _stamp(folder: Path, url: str) -> None:
    """Time stamps of the seals there; ends the command where one has none."""
    from contribd.audit.notes import NoteError

    try:
        made = stamp_seals(seal_files([folder]), url)
    except (NoteError, UnicodeDecodeError, OSError) as error:
        fail(str(error))
    if made.stamped:
        output().print(f"{made.stamped} seals have got a time stamp from {url}", soft_wrap=True)
    if made.problems:
        fail("\n".join(made.problems))


def settings_of(config: Path | None) -> "KafkaSettings":
    """How the topics are reached."""
    from contribd import build

    loaded = load(config)
    log.configure("error", "console", secrets=sorted(loaded.secrets))
    return build.kafka(loaded, SystemRandom())


def private_key(file: Path) -> "PrivateKey":
    """The key in a file of its owner's alone. Raises ``NoteError``, OSError."""
    from contribd.audit.notes import NoteError, parse_private

    if file.stat().st_mode & 0o077:
        raise NoteError(f"{file} can be read by others than its owner: chmod 600 {file}")
    try:
        return parse_private(file.read_text(encoding="ascii").strip())
    except (NoteError, UnicodeDecodeError) as error:
        raise NoteError(f"{file}: {error}") from None


def _newest(folder: Path) -> "tuple[Seal | None, bytes | None]":
    """The newest seal there, by the time it names; raises ``NoteError`` where one cannot be read."""
    from contribd.audit.notes import NoteError, parse_note
    from contribd.audit.seals import parse_seal

    found = []
    for file in seal_files([folder]):
        try:
            found.append((parse_seal(parse_note(file.written.decode()).text), file.written))
        except (NoteError, UnicodeDecodeError) as error:
            raise NoteError(f"{file.name}: {error}") from None
    return max(found, key=lambda each: each[0].at, default=(None, None))


def _sealed(settings: "KafkaSettings", before: "Seal | None", previous: str | None) -> "Seal":
    from contribd.audit.kafka_seal import open_sealed_topic

    with open_sealed_topic(settings) as topic:
        return topic.seal(before, previous, lambda _records: None)


def _write(folder: Path, made: "Seal", note: str) -> Path:
    """Under a name of its time, whole or not at all."""
    place = folder / f"{made.at.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"
    if place.exists():
        raise FileExistsError(f"{place} is there already: a seal a second is enough")
    write_whole(place, note.encode())
    return place


def seal_files(places: Sequence[Path]) -> "list[SealFile]":
    """The files, and those in folders. Raises OSError."""
    from contribd.audit.seals import SealFile

    files = [file for place in places for file in (sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else [place])]
    return [SealFile(str(file), file.read_bytes()) for file in files]


class Sealed(NamedTuple):
    """What seals say: how many findings there are, and what has to be said.

    ``time_stamps``: by when a seal was there, by its file, of those whose time stamp holds.
    """

    wrong: int
    notes: list[str]
    time_stamps: dict[str, str]


class Results(Protocol):
    """Results that seals are held against."""

    def compare(
        self, name: str, seal: "Seal", tick: Callable[[int], None]
    ) -> Iterator[tuple[Finding | None, str | None]]:
        """What is sealed beside what there is, partition by partition."""

    def newer(self, seal: "Seal") -> int:
        """How many offsets lie behind what is sealed."""


def verify_seals(opened: Callable[[], AbstractContextManager[Results]], options: Options) -> Sealed | None:
    """Prints what is off about results by their seals; None where there are none given.

    Raises ``TrafficError``, OSError.
    """
    from contribd.audit.seals import read_chain

    if not options.seal or options.trust is None:
        return None
    files, trust = seal_files(options.seal), trusted_in(options.trust)
    seals, unsound = read_chain(files, trust)
    findings, notes = _held_against(opened, options.seal, seals)
    by_name = {file.name: file for file in files}
    stamps = verify_stamps([(by_name[name], seal) for name, seal in seals], trust, options.timestamp_trust)
    findings = [*unsound, *findings, *without_seal(options.seal), *stamps.findings]
    for finding in findings:
        print_finding(finding, as_json=options.as_json)
    times = {name: iso(at, "seconds") for name, at in stamps.times.items()}
    return Sealed(len(findings), [*notes, *stamps.notes], times)


def _held_against(
    opened: Callable[[], AbstractContextManager[Results]], places: Sequence[Path], seals: "Sequence[tuple[str, Seal]]"
) -> tuple[list[Finding], list[str]]:
    findings = list[Finding]()
    notes = list[str]()
    if not seals:
        named = ", ".join(map(str, places))
        return [Finding(Wrong.SEAL, named, "there is no seal that is signed by a trusted key")], notes
    with opened() as topic:
        for name, each in seals:
            for finding, note in topic.compare(name, each, lambda _records: None):
                findings += [] if finding is None else [finding]
                notes += [] if note is None else [note]
        newest = seals[-1][1]
        if newer := topic.newer(newest):
            notes.append(
                f"{newer} offsets are newer than the newest seal, {iso(newest.at, 'seconds')}: no seal covers them"
            )
    notes.append(f"{len(seals)} seals, {iso(seals[0][1].at, 'seconds')} to {iso(newest.at, 'seconds')}")
    if seals[0][1].previous is not None:
        notes.append(f"{seals[0][0]} follows another seal, which is not here")
    return findings, notes


def trusted_in(file: Path) -> "list[Trusted]":
    """The keys in a file. Raises OSError."""
    from contribd.audit.notes import NoteError
    from contribd.audit.seals import parse_trust

    try:
        return parse_trust(file.read_text())
    except (NoteError, UnicodeDecodeError) as error:
        raise OSError(f"{file}: {error}") from None


def fail(text: str) -> NoReturn:
    """Ends the command."""
    diagnostics().print(text, style="red", soft_wrap=True)
    raise typer.Exit(EXIT_FAILED)
