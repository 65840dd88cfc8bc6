"""The rules in force in the running daemon, asked for over its control socket."""

from collections.abc import Iterable
from pathlib import Path

from contribd import __version__
from contribd.config.rebuild import NotRules, rebuilt
from contribd.config.rules import Rules
from contribd.control.client import Unreachable, ask_rules


class NoRules(Exception):
    """The rules in force cannot be told; the text says why, and what to do."""


def rules_in_force(sockets: Iterable[Path]) -> Rules:
    """What the first daemon that is there goes by. Raises ``NoRules``."""
    try:
        document = ask_rules(sockets)
        rules = rebuilt(document, f"what is in force in {document['instance']}")
    except (Unreachable, NotRules, KeyError) as error:
        text = f"the running daemon does not tell its rules: {error}"
        raise NoRules(f"{text}; to compare with a file instead, name it with --against") from error
    if rules.version == __version__:
        return rules
    note = f"the daemon runs version {rules.version}, this is {__version__}: both sides are mapped by this version"
    return rules._replace(notes=(*rules.notes, note))
