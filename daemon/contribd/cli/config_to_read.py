"""The configuration for commands that only read Kafka: what is wrong elsewhere in it keeps nobody from that."""

from dataclasses import replace
from pathlib import Path

from contribd.cli.common import diagnostics
from contribd.config.errors import ConfigError, Problem
from contribd.config.load import Inspected, Loaded, inspect

_NEEDED = ("", "instance", "kafka")
"""Parts of the configuration file; a mistake in its YAML has no part."""


def load_to_read(config: Path | None) -> Loaded:
    """What is right of it; a warning on stderr where not all is. Raises ConfigError where ``kafka`` is wrong."""
    found = inspect(config)
    if not found.problems:
        return found.loaded()
    if any(_is_needed(problem, found) for problem in found.problems):
        raise ConfigError(found.problems)
    count = len(found.problems)
    diagnostics().print(
        f"{count} problem{'' if count == 1 else 's'} in the configuration, first: {found.problems[0]}; results are "
        "read all the same (contribd check)",
        style="yellow",
        soft_wrap=True,
    )
    return replace(found, problems=[]).loaded()


def _is_needed(problem: Problem, found: Inspected) -> bool:
    return problem.file == found.file and problem.path.partition(".")[0].partition("[")[0] in _NEEDED
