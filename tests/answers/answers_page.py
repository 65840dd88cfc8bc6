"""Makes docs/answers.md of the table of known answers: ``python -m tests.answers.answers_page``."""

from pathlib import Path
from typing import Final

from contribd.answers.table import KnownAnswer
from contribd.config.answers import shipped

PAGE: Final = Path(__file__).parents[2] / "docs" / "answers.md"

_HEAD: Final = """\
# Answers of an ADS

What a NAK or an Error means, what is usually its cause, who can cure it, and how. A result whose answer is known has
this as its `hint`; `contribd results` shows it, and so does the status page. The first entry that fits an answer
explains it: those about a text stand before those about a code alone.

The meanings of the codes are those of LSEG's documentation of posting; the texts were seen from servers. Errors have
no code, and their texts differ from server to server, so few are known.

## Your own

Whom to call about `[502]`, or what your own contribution server says, is known at your site alone. Name a file of
your own in the configuration:

```yaml
answers: site-answers.yaml
```

It has the form of contribd's own file, and its entries are tried before these:

```yaml
answers:
  - code: DeniedBySrc
    text: "[502]: Unknown Fid"
    meaning: The contribution server does not take one of the fields of this post.
    cause: The template of the item lacks the field.
    owner: Market data support, extension 4711
    cure: Open a ticket of the kind "template", with the RIC and the field.
```

An entry has `code` (the NakCode, or its number where it has no name), `text` (a part of the answer's text, in upper or
lower case), or both, and `meaning`, `cause`, `owner` and `cure`. `contribd check` tells mistakes with their lines, and
entries that are never tried since one before them fits the same answers. `contribd schema answers` prints the JSON
Schema. What answers mean has no part in the digest: it changes nothing that is posted.

## Known answers

This part is made of `daemon/contribd/answers/known.yaml`.
"""


def page() -> str:
    """The page as it has to be."""
    return _HEAD + "".join(f"\n### {title(entry)}\n\n{_section(entry)}" for entry in shipped().entries)


def title(entry: KnownAnswer) -> str:
    """What the answer looks like: its code, and what its text holds."""
    return " ".join(part for part in (entry.code or "", f"`{entry.text}`" if entry.text else "") if part)


def _section(entry: KnownAnswer) -> str:
    hint = entry.hint
    return f"{hint.meaning}\n\n- cause: {hint.cause}\n- who can cure it: {hint.owner}\n- cure: {hint.cure}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
