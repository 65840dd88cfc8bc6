"""What is wrong with a configuration, said once for all of it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong, at a place: ``line`` and ``column`` count from 1; ``path`` is dotted (``kafka.results``).

    ``cure`` says what to write instead, ``code`` is the stable number of its kind; both may be empty.
    """

    file: Path
    line: int
    column: int
    path: str
    text: str
    code: str = ""
    cure: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.text}" if self.path else f"{where}: {self.text}"


class ConfigError(Exception):
    """Every problem found in the configuration and its mapping files, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
