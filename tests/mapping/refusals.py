"""The one error of an expression, for tests: at load, or over a record."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from contribd.mapping.expression import compile_expression
from contribd.mapping.mistakes import EvaluationError, ExpressionError
from contribd.mapping.scope import RECORD_ONLY, Scope


def refused(
    source: str, scope: Scope = RECORD_ONLY, *, by: Callable[[str, Scope], object] = compile_expression
) -> ExpressionError:
    """Why ``source`` is not compiled; ``by`` may be ``compile_template``."""
    with pytest.raises(ExpressionError) as caught:
        by(source, scope)
    return caught.value


def failed(source: str, record: Mapping[Any, Any], scope: Scope = RECORD_ONLY) -> EvaluationError:
    """Why ``source``, which compiles, gives nothing for ``record``."""
    expression = compile_expression(source, scope)
    with pytest.raises(EvaluationError) as caught:
        expression.evaluate(record)
    return caught.value
