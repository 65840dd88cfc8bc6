"""``make docs``: site and man pages are built without a warning, ask no other host, and every link leads somewhere."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from tests.docs.blocks import DOCS, PAGES, ROOT
from tests.test_references import LINK

from contribd.cli import COMMANDS

pytest.importorskip("sphinx", reason="Sphinx is not installed: pip install .[docs]")

# What loads something when a page is opened: a link that a reader follows does not.
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
MAN = ["contribd.1", "contribd.yaml.5", "contribd-mapping.5", "contribd-results.5", "contribd-errors.7",
       "contribd-operations.7", "contribd-runbook.7"]  # fmt: skip


class Page(HTMLParser):
    """What a page of the site loads, where its links lead to, and what they can lead to in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors.add(given.get("id", ""))
        if tag in LOADS and given.get(LOADS[tag]):
            self.loads.append(given[LOADS[tag]])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``html`` and ``man``, as the target of the Makefile makes them."""
    folder = tmp_path_factory.mktemp("docs")
    commands = re.findall(r"sphinx-build (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(commands) == 2
    for words in commands:
        arguments = words.replace("build/docs", str(folder)).split()
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def site(built: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in sorted((built / "html").resolve().rglob("*.html"))}


def test_every_page_is_there(site: dict[Path, Page]) -> None:
    names = {file.stem for file in site}
    assert {page.stem for page in PAGES if page.parent == DOCS} <= names


def test_nothing_is_loaded_from_another_host(built: Path, site: dict[Path, Page]) -> None:
    foreign = [f"{file.name}: {url}" for file, page in site.items() for url in page.loads if urlparse(url).netloc]
    assert foreign == []
    sheets = "\n".join(file.read_text() for file in (built / "html").rglob("*.css"))
    assert [
        url for url in re.findall(r"url\(\s*['\"]?([^)'\"]+)|@import ['\"]([^'\"]+)", sheets) if "//" in "".join(url)
    ] == []


def test_every_link_of_the_site_leads_somewhere(site: dict[Path, Page]) -> None:
    broken = [
        f"{file.name}: {link}" for file, page in site.items() for link in page.links if not leads(file, link, site)
    ]
    assert broken == []
    assert sum(len(page.links) for page in site.values()) > 1000


def leads(file: Path, link: str, site: dict[Path, Page]) -> bool:
    """Whether a link within the site is to a file that there is, and to a place in it."""
    url = urlparse(link)
    if url.scheme or url.netloc:
        return url.scheme in ("http", "https")
    target = (file.parent / unquote(url.path)).resolve() if url.path else file.resolve()
    page = site.get(target)
    return target.is_file() if page is None else unquote(url.fragment) in page.anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_is_to_a_file(page: Path) -> None:
    """On a code host, too."""
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_man_pages_are_there_and_well_formed(built: Path) -> None:
    assert sorted(file.name for file in (built / "man").glob("*.[1-8]")) == sorted(MAN)
    text = (built / "man" / "contribd.1").read_text()
    assert {name for name in COMMANDS if f"contribd {name}" not in text.replace("\\-", "-")} == set()
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    for name in MAN:
        done = subprocess.run(
            ["groff", "-man", "-t", "-Tutf8", "-Kutf8", "-ww", "-Wbreak", "-rLL=130n", name],
            cwd=built / "man", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), name
