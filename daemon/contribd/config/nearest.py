"""Which of the words that there are is the one meant by a word that is none of them."""

import difflib
from collections.abc import Sequence


def nearest(word: str, words: Sequence[str]) -> str:
    """The word that is most like it, one with two letters exchanged before all others; empty where none is like it."""
    exchanged = {f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for at in range(len(word) - 1)}
    if found := next((each for each in words if each in exchanged and each != word), ""):
        return found
    return next(iter(difflib.get_close_matches(word, words, 1)), "")
