"""What can go wrong with an expression: when it is read, and when it is evaluated."""

import decimal
from enum import Enum, auto
from typing import Final

from contribd.mapping.scope import ELEMENT, POST, LetName, Place
from contribd.mapping.syntax import Key, path_text


class ExpressionError(Exception):
    """An expression that cannot be compiled; ``at`` is the offset of the first wrong character in its text.

    ``text`` says what is wrong and what was expected, ``cure`` what to write instead, ``code`` is its stable number.
    """

    def __init__(self, at: int, text: str, *, code: str = "", cure: str = "") -> None:
        super().__init__(text)
        self.at = at
        self.text = text
        self.code = code
        self.cure = cure
        self.others: tuple[ExpressionError, ...] = ()
        """Those of other expressions in the same template."""


class ErrorKind(Enum):
    """Why an evaluation gave no value."""

    MISSING = auto()
    WRONG_TYPE = auto()
    OUT_OF_RANGE = auto()


class EvaluationError(Exception):
    """An evaluation without a value. ``text`` is for people; it never holds more than a short part of a value.

    ``path`` is the one that the record lacks, where it is a path into the record that is missing. ``code`` and ``cure``
    are for a constant, when a file is checked; both may be empty.
    """

    def __init__(
        self, kind: ErrorKind, text: str, path: tuple[Key, ...] = (), *, code: str = "", cure: str = ""
    ) -> None:
        super().__init__(text)
        self.kind: Final = kind
        self.text: Final = text
        self.path: Final = path
        self.code: Final = code
        self.cure: Final = cure


RAISED = (EvaluationError, KeyError, ArithmeticError)
"""All that a compiled expression raises. KeyError: a name the record lacks. ArithmeticError: decimal's own traps."""


def as_evaluation_error(error: Exception) -> EvaluationError:
    """The one typed error for anything in ``RAISED``."""
    if isinstance(error, EvaluationError):
        return error
    if isinstance(error, KeyError):
        return missing_path((error.args[0],))
    if isinstance(error, decimal.DivisionByZero):
        return EvaluationError(ErrorKind.OUT_OF_RANGE, "division by zero")
    return EvaluationError(ErrorKind.OUT_OF_RANGE, "a number leaves the range of 34 digits and magnitudes below 1e34")


def missing(text: str) -> EvaluationError:
    """What was asked for is not there."""
    return EvaluationError(ErrorKind.MISSING, text)


def missing_path(keys: tuple[Key, ...]) -> EvaluationError:
    """The record has no such path; of a ``let`` that could not be computed: why."""
    root = keys[0]
    if isinstance(root, LetName) and root.failure is not None:
        failure = as_evaluation_error(root.failure)
        return EvaluationError(failure.kind, f"{root.name}: {failure.text}", failure.path)
    if root is POST:
        return missing(f"the post has no {path_text(keys[1:])}")
    if root is ELEMENT:
        return EvaluationError(ErrorKind.MISSING, f"item has no {path_text(keys[1:])}", keys)
    if isinstance(root, Place) and not root.name.startswith("@"):
        return missing(f"there is no {path_text(keys)}")
    return EvaluationError(ErrorKind.MISSING, f"the record has no {path_text(keys)}", keys)


def wrong_type(text: str) -> EvaluationError:
    """An operator or function met a value of a type that it does not take."""
    return EvaluationError(ErrorKind.WRONG_TYPE, text)


def out_of_range(text: str) -> EvaluationError:
    """A value of the right type that is too large, too long or not understood."""
    return EvaluationError(ErrorKind.OUT_OF_RANGE, text)
