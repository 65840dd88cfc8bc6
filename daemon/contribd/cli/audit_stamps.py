"""Time stamps of seals: got for those that have none, and verified."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contribd.audit.findings import Finding, Wrong
from contribd.cli.result_views import iso

if TYPE_CHECKING:
    from contribd.audit.seals import Seal, SealFile, Trusted

SUFFIX = ".tsr"


class Stamping(NamedTuple):
    """``stamped``: how many seals have got a time stamp now; ``problems``: why others have none."""

    stamped: int
    problems: list[str]


def stamp_seals(files: "Sequence[SealFile]", url: str) -> Stamping:
    """Asks for a time stamp of each seal that has none, newest name first, and keeps it beside the seal.

    Stops where the authority does not answer or refuses. Raises ``NoteError``, OSError.
    """
    from contribd.audit.stamps import AuthorityError, StampError

    open_ones = [file for file in reversed(files) if not stamp_of(file.name).exists()]
    stamped, problems = 0, list[str]()
    for file in open_ones:
        try:
            _stamp(file, url)
            stamped += 1
        except AuthorityError as error:
            problems.append(str(error))
            break
        except StampError as error:
            problems.append(f"{file.name}: {error}")
    if problems:
        problems.append(
            f"{len(open_ones) - stamped} seals have no time stamp; the next run with --timestamp asks again"
        )
    return Stamping(stamped, problems)


def _stamp(file: "SealFile", url: str) -> None:
    from contribd.audit.notes import parse_note
    from contribd.audit.seals import parse_seal
    from contribd.audit.stamp_client import ask
    from contribd.audit.stamps import answered, new_request

    sealed = parse_seal(parse_note(file.written.decode()).text).at
    request = new_request(file.written)
    answer = ask(url, request.as_bytes())
    answered(answer, request, file.written, sealed)
    write_whole(stamp_of(file.name), answer)


def stamp_of(seal: str) -> Path:
    """Where the time stamp of a seal is."""
    return Path(seal + SUFFIX)


def write_whole(place: Path, written: bytes) -> None:
    """Whole or not at all."""
    passing = place.with_name(place.name + ".part")
    passing.write_bytes(written)
    passing.rename(place)


def without_seal(places: Sequence[Path]) -> list[Finding]:
    """Time stamps whose seal is not there: it was taken away, and the newest of a chain leaves no other gap."""
    stamps = [stamp for place in places if place.is_dir() for stamp in sorted(place.glob(f"*{SUFFIX}"))]
    return [
        Finding(Wrong.SEAL, str(stamp.with_suffix("")), "the seal is not there, but its time stamp is")
        for stamp in stamps
        if not stamp.with_suffix("").exists()
    ]


class Stamped(NamedTuple):
    """What time stamps say. ``times``: by when a seal was there, by its file, of those whose stamp holds."""

    findings: list[Finding]
    notes: list[str]
    times: dict[str, datetime]


def verify_stamps(seals: "Sequence[tuple[SealFile, Seal]]", trust: "Sequence[Trusted]", roots: Path | None) -> Stamped:
    """Of seals whose signatures hold; ``roots``: PEM, None where stamps are not to be verified. Raises OSError."""
    with_stamp = [(file, seal) for file, seal in seals if stamp_of(file.name).exists()]
    without = len(seals) - len(with_stamp)
    notes = [f"{without} of {len(seals)} seals have no time stamp"] if without else []
    if roots is None:
        unverified = f"{len(with_stamp)} seals have a time stamp, not verified: --timestamp-trust FILE verifies them"
        return Stamped([], [unverified] if with_stamp else [], {})
    findings, times = _against(with_stamp, roots)
    return Stamped(findings, [*notes, *_said(with_stamp, trust, times)], times)


def _against(seals: "Sequence[tuple[SealFile, Seal]]", roots: Path) -> tuple[list[Finding], dict[str, datetime]]:
    from contribd.audit.stamps import StampError, roots_in, verified

    findings, times = list[Finding](), dict[str, datetime]()
    try:
        trusted = roots_in(roots.read_bytes())
    except StampError as error:
        raise OSError(f"{roots}: {error}") from None
    for file, seal in seals:
        place = stamp_of(file.name)
        try:
            times[file.name] = verified(place.read_bytes(), file.written, seal.at, trusted)
        except StampError as error:
            findings.append(Finding(Wrong.SEAL, str(place), str(error)))
    return findings, times


def _said(
    seals: "Sequence[tuple[SealFile, Seal]]", trust: "Sequence[Trusted]", times: dict[str, datetime]
) -> Iterator[str]:
    """What good time stamps say, and which of them came too late to say much."""
    from contribd.audit.seals import is_trusted_at

    held = [(file, seal) for file, seal in seals if file.name in times]
    if not held:
        return
    file, seal = max(held, key=lambda each: times[each[0].name] - each[1].at)
    span = iso(min(times.values()), "seconds"), iso(max(times.values()), "seconds")
    yield (
        f"{len(held)} seals have a time stamp that holds, of {span[0]} to {span[1]}: each was there by then; at most "
        f"{(times[file.name] - seal.at).total_seconds():.0f} s after the time that it names ({file.name})"
    )
    for late, _ in held:
        if not is_trusted_at(late, trust, times[late.name]):
            when = iso(times[late.name], "seconds")
            yield f"{late.name}: its time stamp is of {when}, when its key was not trusted any more: it shows nothing"
