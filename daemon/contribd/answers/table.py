"""Known answers: what a NAK or an Error means, by its code and a part of its text.

The first entry that fits says it, so those that are about a text stand before those about a code alone. The entries of
a site stand before ours.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

MAX_REMEMBERED: Final = 1_000
"""Answers whose hint is remembered. The same ones come again and again, but a text may hold anything."""


class Hint(NamedTuple):
    """What an answer means: for whoever has to do something about it."""

    meaning: str
    """What the ADS says, in a sentence."""
    cause: str
    """What is usually the reason."""
    owner: str
    """Who can cure it."""
    cure: str
    """What they do."""


class KnownAnswer(NamedTuple):
    """``code``: the NakCode, None for any, and for an Error; ``text``: a part of the answer's text, None for any.
    At least one is given."""

    code: str | None
    text: str | None
    hint: Hint

    def fits(self, code: str | None, lowered: str) -> bool:
        """Whether an answer of this code and text is meant; the text is in lower case."""
        return (self.code is None or self.code == code) and (self.text is None or self.text.lower() in lowered)


Explain: TypeAlias = Callable[[str | None, str | None], Hint | None]
"""The hint for a NAK's code and text, or for an Error, which has no code; None where nothing is known."""


class Answers:
    """All entries, in the order in which they are tried."""

    def __init__(self, entries: Iterable[KnownAnswer] = ()) -> None:
        self.entries: Final = tuple(entries)
        self._remembered: dict[tuple[str | None, str | None], Hint | None] = {}

    def explain(self, code: str | None, text: str | None) -> Hint | None:
        """What this answer means; None where nothing is known of it."""
        answer = code, text
        if answer not in self._remembered:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[answer] = self._find(code, (text or "").lower())
        return self._remembered[answer]

    def _find(self, code: str | None, lowered: str) -> Hint | None:
        return next((entry.hint for entry in self.entries if entry.fits(code, lowered)), None)


NO_ANSWERS: Final = Answers()
