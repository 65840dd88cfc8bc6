"""What is wrong with a configuration, said once for all of it."""

from dataclasses import dataclass, field
from pathlib import Path

from contribd.config.excerpt import Excerpt


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, at a place: ``line`` and ``column`` count from 1; ``path`` is dotted (``kafka.results``).

    ``text`` says what is wrong and what was expected, ``cure`` what to write instead, ``code`` is the stable number of
    its kind (docs/errors.md); the latter two may be empty.
    """

    file: Path
    line: int
    column: int
    path: str
    text: str
    code: str = ""
    cure: str = ""
    end: tuple[int, int] | None = field(default=None, compare=False)
    """Line and column just behind what is wrong, where that is known."""
    excerpt: Excerpt | None = field(default=None, compare=False, repr=False)
    """The source line, fit to be shown; None where there is none."""

    def __lt__(self, other: "Problem") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[Path, int, int, bool, str, str, str, str]:
        """In file order; at one place first what is wrong with it as YAML, of which the others may come."""
        is_yaml = self.code.startswith("Y")
        return self.file, self.line, self.column, not is_yaml, self.path, self.text, self.code, self.cure

    @property
    def said(self) -> str:
        """Path and text: what a line says behind the place."""
        return f"{self.path}: {self.text}" if self.path else self.text

    @property
    def advice(self) -> str:
        """The cure, as it goes on behind a text."""
        return self.cure[:1].lower() + self.cure[1:]

    def __str__(self) -> str:
        """In one line, the cure at its end."""
        cure = f"; {self.advice}" if self.cure and not self.text.endswith("?") else ""
        return f"{self.file}:{self.line}:{self.column}: {self.said}{cure}"


class ConfigError(Exception):
    """Every problem found in the configuration and its mapping files, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
