"""``contribd schema``: the JSON Schema of what users write and read."""

from enum import StrEnum
from typing import Annotated

import typer

from contribd.cli.common import print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Subject(StrEnum):
    """What there is a schema of."""

    CONFIG = "config"
    MAPPING = "mapping"
    RESULT = "result"
    ANSWERS = "answers"
    EVENT = "event"
    MANIFEST = "manifest"


@app.command()
def schema(
    subject: Annotated[
        Subject, typer.Argument(help="config, mapping, result, answers, event or manifest", show_default=False)
    ],
) -> None:
    """Print the JSON Schema (2020-12) of the configuration, a mapping file, a result, a file of known answers, an event
    of the audit, or the manifest of an export."""
    if subject is Subject.MANIFEST:
        from contribd.audit.manifest import manifest_schema

        print_json(manifest_schema())
        return
    if subject is Subject.EVENT:
        from contribd.audit.events import event_schema

        print_json(event_schema())
        return
    if subject is Subject.RESULT:
        from contribd.results.result import result_schema

        print_json(result_schema())
        return
    from contribd.config.json_schema import answers_schema, config_schema, mapping_schema

    made = {Subject.CONFIG: config_schema, Subject.MAPPING: mapping_schema, Subject.ANSWERS: answers_schema}
    print_json(made[subject]())
