"""Mapping files with what they include, each read and checked by itself once."""

from pathlib import Path
from typing import NamedTuple

from contribd.config.document import Document, load_document
from contribd.config.errors import Problem
from contribd.config.interpolate import refuse
from contribd.config.merge import Layer, merged
from contribd.config.reshape import reshape
from contribd.config.validate import Validation, validate
from contribd.mapping.codes import Code
from contribd.mapping.rules import MappingFile

MAX_INCLUDES = 20
"""How deep files may include each other: beyond it nobody can say what a mapping comes to."""


class _Read(NamedTuple):
    """A file with what is wrong with its shape."""

    document: Document
    outcome: Validation[MappingFile]


class Library:
    """The files read so far. ``problems``: what is wrong with the files that were included, and with including."""

    def __init__(self) -> None:
        self._read: dict[Path, _Read] = {}
        self._layers: dict[Path, list[Layer]] = {}
        """What each included file comes to, itself the last."""
        self.included: dict[Path, Document] = {}
        """What was included, by its path as it was first named."""
        self.problems: list[Problem] = []

    def mapping_file(self, file: Path) -> tuple[Document, Validation[MappingFile]]:
        """The file, its mappings over its defaults and over what it includes, and what is wrong with its shape."""
        document, outcome = self._get(file)
        whole = merged(Layer(document, outcome.bad), self._below(document, (file,)))
        if whole is document:
            return document, outcome
        whole.problems += document.problems
        checked = validate(whole, MappingFile)
        checked.problems = [*outcome.problems, *checked.problems]
        return whole, checked

    def _get(self, file: Path) -> _Read:
        """A file by itself, read once whatever it is called."""
        place = file.resolve()
        if place not in self._read:
            document = load_document(file, refuse)
            self._read[place] = _Read(document, _checked(document))
        return self._read[place]

    def _below(self, document: Document, chain: tuple[Path, ...]) -> list[Layer]:
        """What a file includes, the nearest last; ``chain``: the file, and those that include it."""
        layers: list[Layer] = []
        for at, name in _included(document):
            file = document.file.parent / name
            if problem := _unfit(name, file, chain):
                text, code, cure = problem
                self.problems.append(document.problem(("include", at), text, code=code, cure=cure))
                continue
            inner, outcome = self._get(file)
            if file not in self.included:
                self.included[file] = inner
                self.problems += [*inner.problems, *outcome.problems]
            place = file.resolve()
            if place not in self._layers:
                self._layers[place] = [*self._below(inner, (*chain, file)), Layer(inner, outcome.bad)]
            layers += self._layers[place]
        # What lies there twice says nothing but what it says the last time.
        return [*{layer.document.file.resolve(): layer for layer in reversed(layers)}.values()][::-1]

    def not_taken(self, listed: list[Path]) -> list[Problem]:
        """Mappings and tests that stand in included files, unless those are among the mapping files themselves."""
        known = {file.resolve() for file in listed}
        found: list[Problem] = []
        for file, document in self.included.items():
            data = document.data if isinstance(document.data, dict) else {}
            found += [
                document.problem(
                    (name,),
                    f"{file.name} is included: its tables and defaults are taken, its {name} are not",
                    key=True,
                    code=Code.INCLUDED_MAPPINGS,
                    cure="Name the file among the configuration's mappings too",
                )
                for name in ("mappings", "tests")
                if data.get(name) and file.resolve() not in known
            ]
        return found


def _checked(document: Document) -> Validation[MappingFile]:
    if document.root is None:
        return Validation(None)
    outcome = validate(document, MappingFile)
    if not outcome.bad:
        return outcome
    reshape(document, MappingFile)
    return validate(document, MappingFile)


def _included(document: Document) -> list[tuple[int, str]]:
    data = document.data if isinstance(document.data, dict) else {}
    names = data.get("include")
    return [(at, name) for at, name in enumerate(names) if isinstance(name, str)] if isinstance(names, list) else []


def _unfit(name: str, file: Path, chain: tuple[Path, ...]) -> tuple[str, Code, str] | None:
    """Why a file cannot be included: what is wrong, its number, and the cure."""
    places = [each.resolve() for each in chain]
    if not name or not file.is_file():
        what = "is a folder" if name and file.is_dir() else f"is no file in {chain[-1].parent.absolute()}"
        return f'"{name}" {what}', Code.INCLUDE, "Name a file, relative to this one"
    if file.resolve() in places:
        circle = [*chain[places.index(file.resolve()) :], file]
        text = "files include each other: " + " → ".join(each.name for each in circle)
        return text, Code.CIRCLE, "Remove one of them from an include"
    if len(chain) > MAX_INCLUDES:
        return (
            f"files include each other more than {MAX_INCLUDES} deep",
            Code.CIRCLE,
            "Include fewer files in each other",
        )
    return None
