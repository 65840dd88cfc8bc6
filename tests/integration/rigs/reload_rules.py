"""Rules in versions that can be told from each other in every post, and the ways in which their files are broken.

Each version is two files, a mapping and a table. Both say its number, and every post has it three times: the number of
the record plus the version, twice as text, once of these from the table. Versions take turns in what they make of a
curve: several posts, or one. So the commits name the rules in force, or name none.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from tests.integration.rigs.provider_rig import JournaledPost

INSTRUMENTS: Final = 200
CURVE_EVERY: Final = 10
"""Of so many records, one is a curve of three points."""

TABLE: Final = "id,version\nhere,%d\n"

Files = dict[str, str]
"""Their texts by their names."""


def mapping(version: int) -> dict[str, Any]:
    """The mapping file of a version."""
    fields = {
        "BID": "mid",
        "TRDPRC_1": f"mid + {version}",
        "CTBTR_1": {"value": f"V{version}"},
        "DLG_CODE1": "row.version",
    }
    several = version % 4 == 1  # every second of the versions that are whole, which have odd numbers
    curve = {"each": "points", "ric": "{item}="} if several else {"ric": "{points[0]}="}
    let = {"row": 'versions["here"]'}
    expected = {"BID": 1, "TRDPRC_1": 1 + version, "CTBTR_1": f"V{version}", "DLG_CODE1": str(version)}
    return {
        "tables": {"versions": {"file": "versions.csv", "key": "id"}},
        "mappings": [
            {"name": "quote", "when": 'kind == "quote"', "ric": "{pair}=", "let": let, "fields": fields},
            {"name": "curve", "when": 'kind == "curve"', "let": let, "fields": fields, **curve},
        ],
        "tests": [{"record": {"kind": "quote", "pair": "A", "mid": 1}, "post": {"ric": "A=", "fields": expected}}],
    }


def files_of(version: int) -> Files:
    """The files of a version, as they should be."""
    return {"mapping.yaml": yaml.safe_dump(mapping(version), sort_keys=False), "versions.csv": TABLE % version}


def write(folder: Path, files: Files) -> None:
    """One after the other, in place, as an editor or a copy does."""
    for name, text in files.items():
        (folder / name).write_text(text)


def record(number: int) -> bytes:
    """The value of one record."""
    if number % CURVE_EVERY == 0:
        first = number % INSTRUMENTS
        points = [f"P{first:03d}", f"C{first:03d}A", f"C{first:03d}B"]
        return json.dumps({"kind": "curve", "points": points, "mid": number}).encode()
    return json.dumps({"kind": "quote", "pair": f"P{number % INSTRUMENTS:03d}", "mid": number}).encode()


def version_posted(post: JournaledPost) -> int | None:
    """The one version that a post is of; None where it is a mixture of several."""
    fields = {name: value or "" for name, value in post.fields.items()}
    version = fields["DLG_CODE1"]
    whole = fields["CTBTR_1"] == f"V{version}" and float(fields["TRDPRC_1"]) - float(fields["BID"]) == int(version)
    return int(version) if whole else None


def _no_yaml(files: Files, _version: int) -> None:
    files["mapping.yaml"] += "]\n"


def _half_written(files: Files, _version: int) -> None:
    text = files["mapping.yaml"]
    files["mapping.yaml"] = text[: text.index("BID") + 2]


def _empty(files: Files, _version: int) -> None:
    files["mapping.yaml"] = ""


def _unknown_key(files: Files, version: int) -> None:
    files["mapping.yaml"] = yaml.safe_dump({**mapping(version), "mapings": []})


def _failing_test(files: Files, version: int) -> None:
    files["versions.csv"] = TABLE % (version + 1)


def _no_column(files: Files, _version: int) -> None:
    files["versions.csv"] = "id\nhere\n"


BREAKS: Final[Sequence[tuple[Callable[[Files, int], None], str]]] = (
    (_no_yaml, "mapping.yaml"),
    (_half_written, "mapping.yaml"),
    (_empty, "mapping.yaml"),
    (_unknown_key, "mapings"),
    (_failing_test, "DLG_CODE1"),
    (_no_column, "version"),
)
"""How files are broken, and what the answer must say."""


def broken_files(version: int) -> tuple[Files, str]:
    """Files of a version that must be refused, and what the refusal must say."""
    files = files_of(version)
    change, said = BREAKS[version // 2 % len(BREAKS)]
    change(files, version)
    return files, said
