"""The page for people: one HTML file, one style sheet and one script, as they are in the package."""

from pathlib import Path
from typing import Final

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The page loads and asks nothing but this server. Its empty icon is written in it."""

_FILES: Final = Path(__file__).parent / "web"

PAGE_FILES: Final = {
    "/": ("text/html; charset=utf-8", "page.html"),
    "/page.css": ("text/css; charset=utf-8", "page.css"),
    "/page.js": ("text/javascript; charset=utf-8", "page.js"),
}
"""Content type and file of each path."""


def read_page_files() -> dict[str, tuple[str, bytes]]:
    """Content type and content of each path."""
    return {path: (kind, (_FILES / name).read_bytes()) for path, (kind, name) in PAGE_FILES.items()}
