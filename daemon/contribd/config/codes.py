"""The stable numbers of what can be wrong with a file: docs/errors.md explains each.

A number is never used for anything else. Y1xx YAML itself, C1xx configuration, and the keys and kinds of values of
mapping files; what else mappings can have wrong is in contribd.mapping.codes.
"""

from enum import StrEnum
from typing import Self


class FileCode(StrEnum):
    """One kind of mistake; ``meaning`` says it in a line."""

    meaning: str

    def __new__(cls, number: str, meaning: str) -> Self:
        """``number`` is what users see."""
        made = str.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made

    # The file.
    UNREADABLE = "Y101", "The file cannot be read"
    ENCODING = "Y102", "The file is not UTF-8"
    CHARACTER = "Y103", "A character that cannot stand there, or cannot be seen"
    BOUND = "Y104", "The file is too large, or nested too deeply"
    EMPTY = "Y105", "The file is empty"


def titles() -> dict[str, str]:
    """What each number means, in a line."""
    return {code.value: code.meaning for code in FileCode}
