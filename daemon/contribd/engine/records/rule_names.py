"""By what names results and commits call the rules that records are mapped by."""

from typing import NamedTuple


class RuleNames(NamedTuple):
    """One set of rules, by the digests that are written."""

    config: str = ""
    """What results name it by."""
    commits: str | None = None
    """What commits name it by, and results of one post of several; None where it makes one post of a record at most."""
