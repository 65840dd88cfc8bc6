"""What can name a field of a post: an acronym as a dictionary spells it, or a FID."""

import re
from typing import Final

from contribd.mapping.codes import Code
from contribd.mapping.field_problem import FieldProblem

MAX_FIELD_NAME: Final = 64
"""Characters. The longest of the 15,085 acronyms in the vendor's dictionary have 10."""

_FORBIDDEN = re.compile(r"""[^!-~]|[.,:;{}()\[\]"'\\]""")
_FID = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_MIN_FID, _MAX_FID = -32768, 32767


def field_name_problem(name: str) -> FieldProblem | None:
    """What is wrong with ``name`` whatever the dictionary; None where nothing is."""
    if _NUMBER.fullmatch(name):
        return _fid_problem(name)
    if "{" in name or "}" in name:
        return FieldProblem(
            "",
            f"{name} has an expression in braces; a field's name can have one only where there is a field dictionary",
            Code.FIELD_NAME_TEMPLATE,
            "Set dictionary.fields in the configuration, or write each field out with its acronym",
        )
    if not name or len(name) > MAX_FIELD_NAME:
        what = f"has {len(name)} characters" if name else "is empty"
        return _no_name(f"this name {what}; a field's name has 1 to {MAX_FIELD_NAME}", "")
    found = _FORBIDDEN.search(name)
    if found is None:
        return None
    shown = {" ": "a space", ".": "a dot"}.get(found.group(), ascii(found.group()))
    return _no_name(f"{name!a} has {shown}, and no acronym has one", _nearest(name))


def _fid_problem(name: str) -> FieldProblem | None:
    number = int(float(name)) if len(name) < 20 else _MAX_FID + 1
    if not _MIN_FID <= number <= _MAX_FID:
        return _no_name(f"a FID lies between {_MIN_FID} and {_MAX_FID}", "")
    if not _FID.fullmatch(name):
        return _no_name(f"a FID is a whole number without leading zeros, not {name}", str(number))
    if "9" in name:
        return FieldProblem(
            "",
            f"the vendor's server refuses FIDs with a digit 9 as names, as {name} is",
            Code.FID_WITH_NINE,
            f"Write the acronym of FID {name} instead",
        )
    return None


def _no_name(text: str, instead: str) -> FieldProblem:
    cure = f'Write "{instead}"' if instead else "Write the acronym as the dictionary spells it, or the FID in quotes"
    return FieldProblem("", text, Code.FIELD_NAME, cure)


def _nearest(name: str) -> str:
    """The name with what is allowed in the place of what is not: ``B ID`` may be ``B_ID`` or ``BID``, so none."""
    stripped = name.strip()
    return stripped if stripped and not _FORBIDDEN.search(stripped) else ""
