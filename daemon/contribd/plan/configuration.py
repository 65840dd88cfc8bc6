"""What differs between two configurations as they are written: also what no record has shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class SettingChange(NamedTuple):
    """A setting by its path, with both values; None where it is not there."""

    path: str
    old: Any
    new: Any


class MappingChanges(NamedTuple):
    """Mappings by their names."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    """Old name and new name of those that say the same under another name."""
    changed: dict[str, tuple[str, ...]]
    """What is written differently, as paths such as ``fields.BID``."""
    reordered: bool
    """Whether those that both have are tried in another order."""
    tables: tuple[str, ...] = ()
    """Tables whose rows are not the same, or that only one of both has."""

    def __bool__(self) -> bool:
        return any(self)


def mapping_changes(
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    old_tables: Mapping[str, str],
    new_tables: Mapping[str, str],
) -> MappingChanges:
    """How the mappings of two configurations differ, in the order in which they are tried. Tables: by digest."""
    before, after = _by_name(old), _by_name(new)
    removed = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    renamed = tuple(_renamed(before, after, removed, added))
    gone, come = {pair[0] for pair in renamed}, {pair[1] for pair in renamed}
    common = [name for name in before if name in after]
    return MappingChanges(
        added=tuple(name for name in added if name not in come),
        removed=tuple(name for name in removed if name not in gone),
        renamed=renamed,
        changed={
            name: tuple(each.path for each in value_changes(before[name], after[name], depth=2))
            for name in common
            if before[name] != after[name]
        },
        reordered=common != [name for name in after if name in before],
        tables=tuple(each.path for each in value_changes(old_tables, new_tables)),
    )


def value_changes(old: Any, new: Any, path: str = "", depth: int = 9) -> Iterator[SettingChange]:
    """Where two values differ; objects are gone into ``depth`` levels deep."""
    if old == new:
        return
    if not depth or not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield SettingChange(path, old, new)
        return
    for name in dict.fromkeys([*old, *new]):
        yield from value_changes(old.get(name), new.get(name), f"{path}.{name}" if path else name, depth - 1)


def _by_name(mappings: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(each["name"]): each for each in mappings if "name" in each}


def _renamed(
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    removed: Sequence[str],
    added: Sequence[str],
) -> Iterator[tuple[str, str]]:
    left = list(added)
    for old in removed:
        same = next((new for new in left if {**before[old], "name": new} == after[new]), None)
        if same is not None:
            left.remove(same)
            yield old, same
