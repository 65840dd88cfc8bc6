"""A line of the source as a message may show it: secrets masked, with the place that is meant."""

import re
from typing import Final, NamedTuple

MASK: Final = "***"

_WORDS: Final = r"[\w.-]*(?:password|secret|token|credential)[\w.-]*"
_KEY = re.compile(rf"""(?<![\w.-])(?<!\$\{{)(["']?{_WORDS}["']?[ \t]*:)""", re.IGNORECASE)
_NO_COLON = re.compile(
    rf"""[ \t]*(?:-[ \t]+)?(["']?{_WORDS}["']?[ \t]*=?[ \t]*)(?![ \t]|[=!<>*/+-]|(?:and|or|in|not|if)\b)(?=\S)""",
    re.IGNORECASE,
)
"""A line that begins as a secret would, its colon forgotten; no comparison of an expression."""
_VARIABLE = re.compile(r"""["']?\$\{(?:\w+|file:[^}]*|credential:[^}]*)(?::\?[^}]*)?\}["']?[ \t]*(?:[]}, \t]|#.*)*$""")
_NEXT_KEY = re.compile(r"""[ \t]*,[ \t]*["']?[\w-]+["']?[ \t]*:""")
_USER = re.compile(r"""(?<=//)[^\s/"']+(?=@)|(?<![^\s"'\[{,])[^\s"'\[\]{},:/@]+:[^\s"'\[\]{},/@]+(?=@)""")
"""A user and a password in an address."""


class Excerpt(NamedTuple):
    """``text`` is a line of the file; ``start`` and ``end`` are offsets in it of what is meant, equal for a gap."""

    text: str
    start: int
    end: int


Span = tuple[int, int]


def masked_spans(lines: list[str]) -> list[list[Span]]:
    """What must not be shown of each line. Goes by the text alone, so that it holds in a file that is no YAML."""
    found: list[list[Span]] = []
    below: int | None = None  # inside the value of a secret that goes on below its key, whose column this is
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if below is not None and (indent > below or not line.strip()):
            found.append([(indent, len(line))] if line.strip() else [])
            continue
        spans, below = _of_line(line)
        found.append(spans)
    return found


def _of_line(line: str) -> tuple[list[Span], int | None]:
    spans = [match.span() for match in _USER.finditer(line)]
    below = None
    keys = list(_KEY.finditer(line))
    if not keys and (without := _NO_COLON.match(line)):
        keys = [without]
    for key in keys:
        start, end = _value(line, key.end(1))
        if start < end:
            spans.append((start, end))
        if not line.rstrip().endswith((",", "}", "]")):
            below = key.start(1)
    return _joined(spans), below


def _value(line: str, start: int) -> Span:
    """The value that begins at or behind ``start``: too much rather than too little."""
    start += len(line[start:]) - len(line[start:].lstrip())
    end = len(line.rstrip())
    before = line[:start]
    if sum(map(before.count, "{[")) > sum(map(before.count, "}]")):
        following = _NEXT_KEY.search(line, start)
        end = following.start() if following else len(line.rstrip().rstrip("}], "))
    return (start, start) if _VARIABLE.match(line[start:end]) else (start, max(start, end))


def _joined(spans: list[Span]) -> list[Span]:
    """In order, none within another."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def excerpt(line: str, spans: list[Span], start: int, end: int) -> Excerpt:
    """The line with its secrets masked; the place is moved along, and never tells how long a secret is."""
    text, done = "", 0
    moved = [start, end]
    for low, high in spans:
        text += line[done:low] + MASK
        for number, at in enumerate((start, end)):
            if low < at < high:
                moved[number] = len(text) - len(MASK) * (number == 0)
            elif at >= high:
                moved[number] += len(MASK) - (high - low)
        done = high
    return Excerpt(text + line[done:], moved[0], max(moved))
