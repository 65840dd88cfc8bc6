"""Sphinx: these pages as a site and as man pages (``make docs``). Nothing is fetched from anywhere.

The pages are plain Markdown that reads the same on a code host. What a site needs beside that is made here: the tree of
contents follows from the lists of links in index.md.
"""

import re
from itertools import takewhile

from docutils import nodes
from sphinx.application import Sphinx

from contribd import __version__

project = "contribd"
release = version = __version__
extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["conf.py"]

myst_heading_anchors = 6
myst_links_external_new_tab = False
nitpicky = True
suppress_warnings = [
    "misc.highlighting_failure",  # errors.md shows files that are mistaken on purpose
]

html_theme = "furo"
html_title = f"contribd {version}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"source_edit_link": "", "source_view_link": ""}
pygments_style = "friendly"
pygments_dark_style = "monokai"

man_show_urls = False
man_pages = [
    ("commands", "contribd", "contributes prices from Kafka to LSEG Real-Time through an ADS", "", 1),
    ("configuration", "contribd.yaml", "the configuration of contribd", "", 5),
    ("mapping", "contribd-mapping", "from records to RICs and fields: the mapping files of contribd", "", 5),
    ("results", "contribd-results", "what contribd writes of each record: the results topic", "", 5),
    ("errors", "contribd-errors", "every mistake that contribd check tells, by its number", "", 7),
    ("operations", "contribd-operations", "running contribd: systemd, Kafka's rights, health, metrics", "", 7),
    ("runbook", "contribd-runbook", "what to do at each alert of contribd", "", 7),
]

SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
PAGE = re.compile(r"\]\(([\w/-]+)\.md\)")
BESIDE = re.compile(r"\[([^\]]+)\]\((\.\./[\w./-]+\.md)\)")


def read_source(_app: Sphinx, name: str, source: list[str]) -> None:
    """Makes what a site needs of a page that is for code hosts."""
    # A page beside docs/ is none of the site: it is handed out as the file that it is.
    source[0] = BESIDE.sub(r"{download}`\1 <\2>`", source[0])
    if name == "index":
        source[0] += contents(source[0])
    elif name == "decisions/README":
        source[0] += tree("Decisions", source[0])


def contents(text: str) -> str:
    """A tree of contents: for each section of the first page the pages that it links to, in order."""
    return "".join(tree(title, section) for title, section in SECTION.findall(text))


def tree(title: str, text: str) -> str:
    """That of the pages which a text links to, in order."""
    pages = "\n".join(dict.fromkeys(PAGE.findall(text)))
    return f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n"


def as_man_page(app: Sphinx, tree: nodes.document, _name: str) -> None:
    """A man page has no links, and what stands before its first section is its description."""
    if app.builder.name != "man":
        return
    for link in list(tree.findall(nodes.reference)):
        if "://" not in link.get("refuri", ""):
            link.replace_self(link.children)
    page = next(tree.findall(nodes.section))
    before = list(takewhile(lambda node: not isinstance(node, nodes.section), page.children[1:]))
    if before:
        for node in before:
            page.remove(node)
        page.insert(1, nodes.section("", nodes.title(text="Description"), *before, ids=["description"]))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", read_source)
    app.connect("doctree-resolved", as_man_page)
