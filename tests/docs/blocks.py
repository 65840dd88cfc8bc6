"""The blocks of code in the documents, as a Markdown parser finds them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((ROOT / "config").rglob("*.md")),
]


class Block(NamedTuple):
    """``info`` is what stands behind the opening fence: the language, and a word more in errors.md.

    ``info`` is None where the block is indented and not fenced: nobody can tell what such a block is.
    """

    page: Path
    line: int
    info: str | None
    text: str

    @property
    def language(self) -> str:
        """Empty where the fence names none."""
        return (self.info or "").partition(" ")[0]

    @property
    def place(self) -> str:
        """``docs/results.md:31``."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Every block of one page, those in lists and quotations too."""
    for token in MarkdownIt("commonmark").parse(page.read_text()):
        if token.type in ("fence", "code_block") and token.map is not None:
            info = token.info.strip() if token.type == "fence" else None
            yield Block(page, token.map[0] + 1, info, token.content)


def all_blocks() -> list[Block]:
    """Of every page."""
    return [block for page in PAGES for block in blocks_of(page)]
