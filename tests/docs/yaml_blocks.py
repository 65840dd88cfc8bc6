"""YAML in the documents, read as what it is: a configuration, mappings, known answers, or a piece of these.

A piece is put where it belongs in a file that has all else, and that file is read by the loader of the daemon. Tests
beside mappings are run.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.docs.blocks import ROOT, Block

from contribd.cli.init import starting_files
from contribd.config.document import parse_document
from contribd.config.load import inspect
from contribd.config.model import Settings
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.cases import run_cases
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile, MappingSpec

EXAMPLES: Final = ROOT / "config" / "examples"
CONFIG: Final[dict[str, Any]] = {
    "kafka": {"bootstrap_servers": "kafka1:9092"},
    "ads": {"endpoints": ["ws://ads1:15000/WebSocket"], "service": "TRCC"},
    "mappings": ["mappings.yaml"],
}
SETTINGS: Final[list[dict[str, Any]]] = [
    CONFIG,
    # A name with braces, and whatever goes by a field's type.
    {**CONFIG, "dictionary": {"fields": f"{EXAMPLES}/dictionary/RDMFieldDictionary",
                              "enums": f"{EXAMPLES}/dictionary/enumtype.def"}},
    # Partial updates, and text outside ASCII.
    {**CONFIG, "ads": {**CONFIG["ads"], "rmtes_escape": "raw"}, "contribution": {"conflate": False}},
]  # fmt: skip
"""What mappings of the documents need; one must do."""
MAPPING: Final[dict[str, Any]] = {"name": "piece", "ric": "X=", "fields": {"BID": "bid", "ASK": "ask"}}
FILE: Final[dict[str, Any]] = {"mappings": [MAPPING]}
TABLE: Final = {"instruments": {"EURUSD": {"ric": "EUR="}}}
MODELINE: Final = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def problems_of(block: Block, folder: Path) -> list[str]:
    """What the loader has against it; ``folder`` is empty, and gets the files."""
    document = parse_document(block.text.encode(), Path("block"))
    if document.problems:
        return [str(problem) for problem in document.problems]
    data = {"mappings": document.data} if isinstance(document.data, list) else document.data
    if data is None:
        return _modeline(block.text)
    if not isinstance(data, dict):
        return ["expected keys and values"]
    for is_one, judge in KINDS:
        if is_one(data):
            return judge(data, folder)
    return [f"nobody can tell what this is: {', '.join(data)}"]


def _modeline(text: str) -> list[str]:
    """A comment alone: the line by which an editor finds a schema that ``contribd init`` writes."""
    found = MODELINE.fullmatch(text)
    return [] if found is not None and found[1] in starting_files() else ["nothing but comments"]


def _names_files(data: Mapping[str, Any]) -> bool:
    """Whether ``mappings`` is that of a configuration."""
    return all(isinstance(each, str) for each in data.get("mappings", [None]))


def _is_of_a_case(data: Mapping[str, Any]) -> bool:
    """Whether it is what a test expects of several posts."""
    posts = data.get("posts")
    return isinstance(posts, list) and any({"including", "rejected", "suppressed"} & each.keys() for each in posts)


def _of_answers(data: dict[str, Any], folder: Path) -> list[str]:
    (folder / "site-answers.yaml").write_text(json.dumps(data))
    return list(
        _told({**CONFIG, "answers": "site-answers.yaml", "mappings": _one_mapping(folder)}, folder, lenient=False)
    )


def _of_case(data: dict[str, Any], _folder: Path) -> list[str]:
    CaseSpec.model_validate({"record": {}, **data})
    return []


def _one_mapping(folder: Path) -> str:
    (folder / "mappings.yaml").write_text(json.dumps({"mappings": [{**MAPPING, "withdraw": ["BID"]}]}))
    return "mappings.yaml"


def _of_configuration(data: dict[str, Any], folder: Path) -> list[str]:
    return list(_told({**merged(CONFIG, data), "mappings": _one_mapping(folder)}, folder))


def _of_mapping_file(data: dict[str, Any], folder: Path) -> list[str]:
    """With what it includes and looks up."""
    inner = folder / "desk"
    inner.mkdir()
    (folder / "desk-defaults.yaml").write_text(json.dumps({"defaults": {"service": "TRCC"}}))
    (inner / "instruments.csv").write_text("id,ric,tick,lot\nEURUSD,EUR=,0.5,1\n")
    (inner / "mappings.yaml").write_text(json.dumps(data, default=float))
    told = [list(_told(settings, inner, lenient=False)) for settings in SETTINGS]
    return [] if [] in told else told[0]


def _told(data: dict[str, Any], folder: Path, *, lenient: bool = True) -> Iterator[str]:
    """``lenient``: as ``check --no-env``, which looks at no certificates, variables, dictionaries and known answers."""
    file = folder / "contribd.yaml"
    file.write_text(json.dumps(data, default=float))
    found = inspect(file, environ={}, lenient=lenient)
    yield from (str(problem) for problem in found.problems)
    if not found.problems:
        cases = [case.test for case in found.mappings.cases]
        for result in run_cases(cases, Mapper(found.mappings.compiled)):
            yield from (str(difference) for difference in result.differences)


def merged(base: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` over ``base``, section by section."""
    made = {**base, **data}
    for key in base.keys() & data.keys():
        if isinstance(base[key], dict) and isinstance(data[key], dict):
            made[key] = merged(base[key], data[key])
    return made


Kind: TypeAlias = tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any], Path], list[str]]]
KINDS: Final[list[Kind]] = [
    (lambda data: isinstance(data.get("answers"), list), _of_answers),
    (_is_of_a_case, _of_case),
    (
        lambda data: data.keys() <= MappingFile.model_fields.keys() and not _names_files(data),
        lambda data, folder: _of_mapping_file(data if data.keys() == {"tests"} else {**FILE, **data}, folder),
    ),
    (lambda data: data.keys() <= Settings.model_fields.keys(), _of_configuration),
    (
        lambda data: data.keys() <= MappingSpec.model_fields.keys(),
        lambda data, folder: _of_mapping_file({"mappings": [{**MAPPING, **data}], "tables": TABLE}, folder),
    ),
    (
        lambda data: all(re.fullmatch(r"[A-Z][A-Z0-9_]+", key) for key in data),
        lambda data, folder: _of_mapping_file({"mappings": [{**MAPPING, "fields": data}]}, folder),
    ),
]
"""How a piece is known, by its keys, and what reads it; the first that is true."""
