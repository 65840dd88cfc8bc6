"""An object is changed by the file that defines it, and a class is built from others of its file or by composition."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "daemon" / "contribd"
ENGINE = sorted((ROOT / "engine").rglob("*.py"))
PRODUCTION = [
    path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] not in ("config", "simulation")
]

FOREIGN_WRITES: set[str] = set()
"""``file: target`` of assignments that are allowed all the same: none are."""

BASES = {"NamedTuple", "Protocol", "Enum", "StrEnum", "Exception"}
"""Not ours, or no more than a shape: whoever derives from these inherits nobody's behaviour."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def own_attributes(tree: ast.Module) -> set[str]:
    """The attributes that the classes of a file declare, by annotation or by their own assignments."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found |= {
                line.target.id
                for line in node.body
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
            }
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            found.add(node.attr)
    return found


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def foreign_writes(path: Path) -> Iterator[str]:
    """Assignments to, and deletions of, attributes of anything but self that the file's own classes do not have."""
    tree = ast.parse(path.read_text())
    own = own_attributes(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load):
            continue
        if not is_self(node.value) and node.attr not in own:
            yield f"{named(path)}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", ENGINE, ids=named)
def test_the_engine_changes_an_object_in_its_own_file_only(path: Path) -> None:
    assert set(foreign_writes(path)) - FOREIGN_WRITES == set()


def imported_from_us(tree: ast.Module) -> set[str]:
    """Names that a file takes from another file of ours, modules as well as what is in them."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "contribd":
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            ours = [alias for alias in node.names if alias.name.split(".")[0] == "contribd"]
            found |= {alias.asname or alias.name.split(".")[0] for alias in ours}
    return found


def root_name(base: ast.expr) -> str:
    """The name that a base class is reached by: ``a`` of ``a.B[C]``."""
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    return base.id if isinstance(base, ast.Name) else ""


def borrowed_bases(path: Path) -> Iterator[str]:
    """Classes that derive from a class of another file of ours."""
    tree = ast.parse(path.read_text())
    ours = imported_from_us(tree) - BASES
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (
                f"{named(path)}: {node.name}({ast.unparse(base)})" for base in node.bases if root_name(base) in ours
            )


@pytest.mark.parametrize("path", PRODUCTION, ids=named)
def test_no_class_derives_from_one_of_another_file(path: Path) -> None:
    assert list(borrowed_bases(path)) == []
