"""Whether what is to be paused exists. Pure."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import translate
from typing import Final

from contribd.engine.records.pauses import PauseKind, Selector

_HAS: Final = {PauseKind.MAPPING: "is called", PauseKind.DESK: "has desk"}


def why_unknown(
    what: Selector, mappings: Iterable[str], desks: Iterable[str], nothing: str = "nothing is paused"
) -> str | None:
    """Why there is nothing to pause, or nothing else is done; None where there is. ``mappings`` and ``desks``: the
    names there are; ``nothing``: how it is said."""
    if what.kind is PauseKind.MAPPING:
        known = list(mappings)
    elif what.kind is PauseKind.DESK:
        known = sorted(set(desks))
    else:
        return None
    if what.value in known:
        return None
    near = get_close_matches(what.value, known, n=1)
    there = f"is {near[0]} meant?" if near else f"there are: {', '.join(known) or 'none'}"
    return f"{nothing}: no mapping in force {_HAS[what.kind]} {what.value}; {there}"


def without_match(what: Selector, rics: Iterable[str]) -> str:
    """What is to be said of a pattern of RICs that is of none of these; empty where it is of one."""
    if what.kind is not PauseKind.RIC:
        return ""
    matches = re.compile(translate(what.value)).match
    return "" if any(map(matches, rics)) else " (no RIC known here matches now: it holds for those to come)"
