"""``contribd resubmit``: records of selected results, put back into their prices topic."""

import sys
from collections import Counter
from collections.abc import Iterable
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from contribd.cli import EXIT_FAILED
from contribd.cli.common import ConfigOption, JsonOption, diagnostics
from contribd.cli.results import (
    CodeOption,
    DeskOption,
    MappingOption,
    OffsetOption,
    PostOption,
    RicOption,
    SinceOption,
    StatusOption,
    UntilOption,
    build_filters,
    by_rules,
)
from contribd.config.load import Loaded, load
from contribd.ops.lines import printable
from contribd.ops.log import configure
from contribd.results.filters import Filters
from contribd.results.reader import AuditError, StoredResult, read_results

if TYPE_CHECKING:
    from contribd.results.resubmission import Done

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def resubmit(
    config: ConfigOption = None,
    ric: RicOption = None,
    status: StatusOption = None,
    code: CodeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    offset: OffsetOption = None,
    mapping: MappingOption = None,
    desk: DeskOption = None,
    post: PostOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be put back, and write nothing.", show_default=False)
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put the original records of selected results back into their prices topic: they are posted once more.

    Unchanged, to the partition that they came from, with a header that names the result. A record whose RIC has had a
    later result is never put back: it is listed as superseded. Exit code 1: some that were selected are not put back.
    """
    filters = build_filters(ric, status, code, since, until, offset)
    loaded = load(config)
    filters = by_rules(filters, loaded, mapping, desk, post)
    if filters == Filters():
        raise typer.BadParameter("say which results: by --offset, --status, --ric, --since …")
    configure("error", "console", secrets=sorted(loaded.secrets))
    fates = _put_back(loaded, filters, dry=dry_run, as_json=as_json)
    if not as_json:
        diagnostics().print(", ".join(f"{count} {fate}" for fate, count in fates.items()) or "no result is selected")
        if dry_run and fates and "would be resubmitted" not in fates:
            diagnostics().print("nothing would be put back")
    if not fates or any(fate not in {"resubmitted", "would be resubmitted"} for fate in fates):
        raise typer.Exit(EXIT_FAILED)


def _put_back(loaded: Loaded, filters: Filters, *, dry: bool, as_json: bool) -> Counter[str]:
    from contribd import build
    from contribd.results.resubmission import ResubmitError, open_resubmission, select
    from contribd.streams.client.errors import KafkaError

    kafka, fates = loaded.settings.kafka, Counter[str]()

    def read(which: Filters) -> Iterable[StoredResult]:
        return read_results(kafka.bootstrap_servers, kafka.results, which, kafka.client)

    try:
        selected = select(read, filters)
        with open_resubmission(build.kafka(loaded, SystemRandom()), dry=dry) as resubmission:
            for done in resubmission.run(selected):
                fates[done.fate] += 1
                _show(done, as_json=as_json)
    except (AuditError, ResubmitError, KafkaError) as error:
        diagnostics().print(printable(str(error)), style="red")
        raise typer.Exit(EXIT_FAILED) from None
    return fates


def _show(done: "Done", *, as_json: bool) -> None:
    selected, result = done.selected, done.selected.stored.result
    if as_json:
        document = {
            "record": str(selected.source),
            "result": selected.place,
            "status": result.status,
            "ric": result.ric,
            "fate": done.fate,
            "text": done.text,
        }
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        return
    what = f"{selected.source}  {printable(result.ric or '-')}  {result.status}"
    sys.stdout.write(f"{what}  {done.fate}: {printable(done.text)}\n")
