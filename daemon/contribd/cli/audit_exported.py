"""``contribd audit verify --export``: an export held against its manifests, and verified as Kafka's topics are."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contribd.audit.findings import Finding
from contribd.cli.audit_seal import Sealed, fail, trusted_in, verify_seals
from contribd.cli.audit_verifying import Asked, Options, bar, print_finding, run
from contribd.cli.result_views import iso

if TYPE_CHECKING:
    from contribd.audit.export_evidence import ExportedTopic
    from contribd.audit.exported import Export
    from contribd.audit.rules_book import RulesBook
    from contribd.audit.verification import Verified


class Checked(NamedTuple):
    """An export whose manifests and files were looked at. ``wrong``: how many findings there are of that."""

    export: "Export"
    rules: "RulesBook"
    wrong: int

    @property
    def notes(self) -> list[str]:
        """What must be said of it, and of rules."""
        manifests = self.export.manifests
        times = iso(self.export.first.exported_at, "seconds"), iso(self.export.last.exported_at, "seconds")
        left_out = [
            f"{place}: {each.first}..{each.last} is not in the export: {each.what}"
            for place, parts in sorted(self.export.parts.items())
            for part in parts
            for each in part.log.not_exported
            if place.kind != "prices"  # of those the judge tells
        ]
        return [f"{len(manifests)} manifests, {times[0]} to {times[1]}", *left_out, *self.rules.notes]


def checked(folder: Path, config: Path | None, options: Options) -> Checked:
    """Looks at it, and prints what is not as its manifests say."""
    from contribd.audit.export_check import check_files, read_export
    from contribd.audit.export_run import desks_by
    from contribd.audit.parquet_files import ExportError
    from contribd.audit.rules_book import RulesError

    found = 0
    try:
        export, findings = read_export(folder, None if options.trust is None else trusted_in(options.trust))
        for finding in findings:
            found += _shown(finding, as_json=options.as_json)
        if export is None:
            fail(f"{folder} holds no export that can be verified")
        book = _rules_book(export, None, ())
        total = sum(part.log.end - part.log.first for parts in export.parts.values() for part in parts)
        with bar("reading the export", total) as tick:
            for finding in check_files(export, desks_by(book.mapper), tick):
                found += _shown(finding, as_json=options.as_json)
        return Checked(export, _rules_book(export, config, options.rules), found)
    except (ExportError, RulesError, OSError) as error:
        fail(str(error))


def _shown(finding: Finding, *, as_json: bool) -> int:
    print_finding(finding, as_json=as_json)
    return 1


def _rules_book(export: "Export", config: Path | None, files: Sequence[Path]) -> "RulesBook":
    """The rules in an export, those in files, and those at hand where a configuration is named."""
    from contribd.audit.rules_book import RulesBook, RulesError, read_file
    from contribd.config.load import load

    book = RulesBook([] if config is None else [load(config).rules])
    for rules in (each for written in export.manifests for each in written.manifest.rules):
        try:
            if rules.path not in export.damaged:
                book.add(read_file(export.folder / rules.path))
        except RulesError as error:
            book.notes.append(str(error))
    for file in files:
        book.add(read_file(file))
    return book


def verified_export(checked: Checked, options: Options) -> "tuple[Verified, Sealed | None]":
    """What a verification makes of it, and what seals say."""
    from contribd.audit.export_evidence import ExportedTopic, ExportEvidence, open_export
    from contribd.audit.jobs import JobLost
    from contribd.audit.rules_book import RulesError

    export = checked.export
    first = export.first.asked
    asked = Asked(
        given={"--export": [each.manifest.sha256 for each in export.manifests]}
        | {"--partitions": list(options.partitions), "--rules": list(map(str, options.rules))},
        whole=first.since is None and not first.offsets,
        since=None if first.since is None else round(first.since.timestamp() * 1000),
        partitions=(*ExportEvidence(export).counts_of_partitions(), *options.partitions),
    )

    @contextmanager
    def opened_topic() -> "Iterator[ExportedTopic]":
        yield ExportedTopic(export)

    try:
        verified = run(partial(open_export, export), checked.rules, asked, options)
        return verified, verify_seals(opened_topic, options)
    except (RulesError, JobLost, sqlite3.Error, OSError) as error:
        fail(str(error))
