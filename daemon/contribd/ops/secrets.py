"""Keeps secrets out of everything that is printed: by the name they go under, and by their value anywhere."""

import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

_SHORTEST = 4
"""A registered value shorter than this is masked under its name only: masking every "ab" would ruin every line."""

_DEEPEST = 6
"""Nested values below this many levels are masked whole: nothing worth logging lies there."""

_NAMES = re.compile(r"passw|secret|token|authorization|credential|api_?key|cookie", re.IGNORECASE)

# Text that was not written by us: an HTTP form, a header, JSON (perhaps escaped once more), a URL with a password.
_NAMED_IN_TEXT = re.compile(
    r"""((?:passw(?:or)?d|secret|token|authorization|api_?key)\\?["']?\s*[:=]\s*\\?["']?(?:bearer\s+|basic\s+)?)"""
    r"""[^\s"'\\,;&}]+""",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(://[^/\s:@]*:)[^@/\s]+@")


class Secrets:
    """The secret values known to this process."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Mask ``value`` from now on, also as it looks quoted, escaped or percent-encoded."""
        if len(value) < _SHORTEST:
            return
        self._values |= {value, repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        self._values |= {quote(value), quote(value, safe=""), quote_plus(value)}
        # Longest first, so that a secret that contains another is masked whole.
        self._pattern = re.compile("|".join(re.escape(v) for v in sorted(self._values, key=len, reverse=True)))

    def mask(self, text: str) -> str:
        """``text`` without any registered value, and without what stands behind a secret's name."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        text = _NAMED_IN_TEXT.sub(rf"\1{MASK}", text)
        return _IN_URL.sub(rf"\1{MASK}@", text)

    def mask_value(self, name: str, value: Any) -> Any:
        """``value`` as it may be shown under ``name``: masked whole if the name is a secret's, else inside."""
        if isinstance(value, bool) or value is None:
            return value
        if _NAMES.search(name):
            return MASK
        return self._inside(value, _DEEPEST)

    def _inside(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            if not depth:
                return MASK
            return {
                str(key): MASK if _NAMES.search(str(key)) and item is not None else self._inside(item, depth - 1)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._inside(item, depth - 1) for item in value] if depth else MASK
        return value
