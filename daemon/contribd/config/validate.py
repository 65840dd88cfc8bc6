"""A document against its model: every problem at its place, in the words of the file."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contribd.config.codes import FileCode
from contribd.config.cures import missing
from contribd.config.document import Document, dotted, located
from contribd.config.errors import Problem
from contribd.config.keys import fields_at, unknown_key
from contribd.config.nodes import DataPath
from contribd.config.scalars import Doubtful
from contribd.config.wording import doubtful, wrong_value

M = TypeVar("M", bound=BaseModel)


@dataclass
class Validation(Generic[M]):
    """The model where there is nothing wrong, and what is wrong; ``bad`` lists the places."""

    model: M | None
    problems: list[Problem] = field(default_factory=list)
    bad: set[DataPath] = field(default_factory=set)
    renamed: list[tuple[DataPath, str]] = field(default_factory=list)
    """Keys that are not known, each with the cure of it."""


def validate(document: Document, model: type[M], unknown: AbstractSet[DataPath] = frozenset()) -> Validation[M]:
    """Check a document's data. What stands at ``unknown`` places counts as right, and is left out of the model."""
    context: dict[str, set[int]] = {"accepted": set()}
    data = without(document.data, unknown)
    outcome: Validation[M] = Validation(None, bad=set(document.broken))
    try:
        outcome.model = model.model_validate(data, context=context)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _add(outcome, document, model, details, unknown)
    _forget_renamed(outcome)
    for path, word in doubtful_words(data):
        if id(word) not in context["accepted"] and path not in outcome.bad:
            outcome.bad.add(path)
            outcome.problems.append(document.problem(path, **doubtful(document, path, word)._asdict()))
    outcome.problems = sorted(set(outcome.problems))
    return outcome


def _add(
    outcome: Validation[M], document: Document, model: type[M], error: ErrorDetails, unknown: AbstractSet[DataPath]
) -> None:
    path, value = located(document.data, error["loc"], missing=error["type"] == "missing")
    if _told_before(document, path, error["type"]):
        outcome.bad.add(path)
        return
    if any(place[: len(path)] == path for place in unknown):
        return  # a list or section that is short of what could not be known
    if path in outcome.bad and isinstance(value, dict | list):
        return  # another member of a union: the first word is enough
    outcome.bad.add(path)
    if error["type"] == "extra_forbidden" and document.is_key_told(path):
        return
    if error["type"] == "extra_forbidden":
        finding = unknown_key(model, path, document.data)
        outcome.problems.append(document.problem(path, **finding._asdict(), key=True))
        outcome.renamed.append((path, outcome.problems[-1].cure))
    elif error["type"] == "missing":
        about = fields_at(model, path[:-1], document.data).get(str(path[-1]))
        text = is_missing(about.description if about else None)
        outcome.problems.append(document.problem(path, **missing(str(path[-1]), text)._asdict()))
    else:
        outcome.problems.append(document.problem(path, **wrong_value(document, path, value, error)._asdict()))


def is_missing(description: str | None) -> str:
    """What is said of a key that must be there: with what it is, where its model says so."""
    if not description:
        return "is missing; it must be given"
    article = description.partition(" ")[0] in {"The", "A", "An", "Some", "What", "Which", "Where", "How"}
    return f"is missing ({description[0].lower() + description[1:] if article else description})"


def _forget_renamed(outcome: Validation[M]) -> None:
    """A key that is missing because it stands there under another name is told once, at that name."""
    named = {(*path[:-1], cure.removeprefix("Write ")) for path, cure in outcome.renamed}
    outcome.problems = [
        problem
        for problem in outcome.problems
        if problem.code != FileCode.MISSING_KEY or problem.path not in {dotted(path) for path in named}
    ]


def _told_before(document: Document, path: DataPath, kind: str) -> bool:
    """Whether it follows from something that was wrong with the file as YAML."""
    if kind == "extra_forbidden":
        return False
    if path in document.torn or (kind == "missing" and path[:-1] in document.torn):
        return True
    if kind.startswith(("expected", "list", "dict", "model")) and any(at[: len(path)] == path for at in document.torn):
        return True
    return any(path[: len(place)] == place or place[: len(path)] == path for place in document.broken)


def doubtful_words(data: Any, path: DataPath = ()) -> list[tuple[DataPath, Doubtful]]:
    """Every unquoted YAML 1.1 boolean in the data."""
    if isinstance(data, Doubtful):
        return [(path, data)]
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for step, value in inside for found in doubtful_words(value, (*path, step))]


def without(data: Any, places: AbstractSet[DataPath], path: DataPath = ()) -> Any:
    """The data less what stands at some places; a list that is left empty by it goes as a whole."""
    if not any(place[: len(path)] == path for place in places):
        return data
    if isinstance(data, dict):
        kept = {
            step: without(value, places, (*path, step)) for step, value in data.items() if (*path, step) not in places
        }
        return {step: value for step, value in kept.items() if value != [] or data[step] == []}
    if isinstance(data, list):
        return [without(value, places, (*path, at)) for at, value in enumerate(data) if (*path, at) not in places]
    return data
