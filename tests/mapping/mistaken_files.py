"""Pieces of mistaken files, and the frames that make whole files of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from contribd.config.errors import Problem
from contribd.config.load import inspect
from contribd.config.mappings import read_mapping_file

FOLDER = Path(__file__).parent / "mistaken"
DICTIONARY = Path(__file__).parents[2] / "config" / "examples" / "dictionary"
MARK = "§"
SECTIONS = {
    "kafka": 'kafka: {bootstrap_servers: "k:1"}',
    "ads": 'ads: {endpoints: ["ws://a:1"], service: S}',
    "mappings": "mappings: m.yaml",
}
GOOD = "mappings:\n  - {name: good, ric: X=, fields: {BID: bid}}\n"
HEAD = "mappings:\n  - name: spot\n"
FIELDS = f"{HEAD}    ric: X=\n    fields:\n"


class Mistaken(NamedTuple):
    """``told``: the number and the beginning of the cure of each mistake."""

    place: str
    frame: str
    text: str
    told: list[tuple[str, str]]

    def __str__(self) -> str:
        return self.place


def cases() -> Iterator[Mistaken]:
    for file in sorted(FOLDER.glob("*.txt")):
        frame, begun = "", 0
        told: list[tuple[str, str]] = []
        text: list[str] = []
        for number, line in enumerate([*file.read_text().splitlines(), "@ end"], 1):
            if line.startswith(("> ", "@ ")) and text:
                yield Mistaken(f"{file.stem}-{begun}", frame, "\n".join(text), told)
                told, text = [], []
            if line.startswith("@ "):
                frame = line[2:]
            elif line.startswith("> "):
                code, _, cure = line[2:].partition(" ")
                told.append((code, cure))
            else:
                begun = begun if text else number
                text.append(line)


def framed(case: Mistaken, name: str = "BID") -> str:
    if case.frame == "expression":
        return f"      {name}: |-\n        {case.text}\n"
    if case.frame == "field":
        return f"      {name}: {case.text}\n"
    lines = case.text.split("\n")
    if case.frame in ("mapping", "dictionary"):
        lines = [re.sub(f"^({MARK}(?=\t))?", r"\1" if line.startswith(f"{MARK}\t") else "    ", line) for line in lines]
        lines += [f"    {line}" for line in ("ric: X=", "fields: {BID: bid}") if not has(case.text, line.split(":")[0])]
    elif case.frame == "config":
        lines += [line for name, line in SECTIONS.items() if not has(case.text, name)]
    return "\n".join(lines) + "\n"


def has(text: str, key: str) -> bool:
    return re.search(rf"^{MARK}?{key}\b", text, re.MULTILINE) is not None


def places(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its marks, and line and column of each."""
    plain, *parts = marked.split(MARK)
    found = []
    for part in parts:
        found.append((plain.count("\n") + 1, len(plain) - plain.rfind("\n")))
        plain += part
    return plain, found


def found_in(folder: Path, text: str, *, config: bool, mapping: str = GOOD) -> list[Problem]:
    file = folder / ("contribd.yaml" if config else "m.yaml")
    (folder / "m.yaml").write_text(mapping)
    file.write_text(text)
    problems = inspect(file, environ={}).problems if config else read_mapping_file(file, "S").problems
    return sorted(set(problems))


def found_with_dictionary(folder: Path, mapping: str) -> list[Problem]:
    """The same of a mapping file with the field dictionary of the examples."""
    files = f'dictionary: {{fields: "{DICTIONARY}/RDMFieldDictionary", enums: "{DICTIONARY}/enumtype.def"}}'
    config = "\n".join([*SECTIONS.values(), files])
    return found_in(folder, config, config=True, mapping=mapping)


def whole(case: Mistaken) -> str:
    start = {"expression": FIELDS, "field": FIELDS, "mapping": HEAD, "dictionary": HEAD}.get(case.frame, "")
    return start + framed(case)
