"""The field dictionary: what mappings ask of it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from contribd.dictionary.enums_file import Owner
from contribd.dictionary.fields_file import Field
from contribd.dictionary.known_field import KnownField
from contribd.dictionary.nearest import Nearest
from contribd.mapping.codes import Code
from contribd.mapping.computed_names import ComputedName
from contribd.mapping.fieldtypes import FieldNameError, computed_name
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import out_of_range
from contribd.mapping.operators import shown
from contribd.mapping.template import Template

_FID: Final = re.compile("-?[1-9][0-9]{0,5}")
_LISTED: Final = 4
_BEGINNING: Final = 3
"""Characters from which on what a name begins with says something."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All fields with their tables. Not ``whole`` where a file has mistakes: what it lacks then says nothing."""

    fields: dict[str, Field]
    """By acronym."""
    by_fid: dict[int, Field]
    owners: dict[int, Owner]
    """The fields that have a table, by FID."""
    whole: bool = True
    _known: dict[str, KnownField] = field(default_factory=dict)
    _names: list[Nearest] = field(default_factory=list)
    """At most one: made when the first name is unknown."""

    def field(self, name: str) -> KnownField | None:
        """The field of this acronym or FID. Raises FieldNameError where there is none."""
        found = self.by_fid.get(int(name)) if _FID.fullmatch(name) else self.fields.get(name)
        if found is not None:
            if found.name not in self._known:
                self._known[found.name] = self._knowing(found)
            return self._known[found.name]
        if not self.whole:
            return None
        raise FieldNameError(f"the dictionary has no field {name}", Code.UNKNOWN_FIELD, self._cure(name))

    def computed(self, template: Template) -> tuple[ComputedName, KnownField | None]:
        """The fields that a name with braces can become. Raises FieldNameError where they are none, or of two types."""
        pattern = re.compile("".join(map(_pattern, template.parts)), re.ASCII)
        found = {name: one for name, one in self.fields.items() if pattern.fullmatch(name)}
        if not found and not self.whole:
            return computed_name(template, lambda name: name, frozenset()), None
        if not found:
            text = f"the dictionary has no field that {template.source} can become"
            raise FieldNameError(
                text, Code.NAME_TEMPLATE, "Write the parts outside of the braces as the fields' names are"
            )
        one = self._of_one_type(template.source, list(found.values()))
        about = f"{template.source} ({one.field.type.value})"
        known = KnownField(one.field, one.table, template.source, about)
        return computed_name(template, _Resolve(template.source, frozenset(found)), frozenset(found)), known

    @property
    def tables(self) -> int:
        """How many tables of enumerated values there are."""
        return len({id(owner.table) for owner in self.owners.values()})

    def digest(self) -> str:
        """SHA-256, in hexadecimal, of what mappings can see of it: no comment, and no layout."""
        fields = sorted(self.by_fid.values(), key=lambda each: each.fid)
        lines = [f"{one.name} {one.fid} {one.type.value} {one.length}" for one in fields]
        lines += [f"{fid} {sorted(owner.table.displays.items())}" for fid, owner in sorted(self.owners.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _cure(self, name: str) -> str:
        if near := self._nearest(name):
            return f"Write {near.name}"
        begins = sorted((each for each in self.fields if each.startswith(name)), key=lambda each: (len(each), each))
        if len(name) < _BEGINNING or not begins:
            return "See the acronyms in the file that dictionary.fields names"
        return f"Write {begins[0]}" if len(begins) == 1 else f"Write one of {', '.join(begins[:_LISTED])}"

    def _nearest(self, name: str) -> Field | None:
        if not self._names:
            self._names.append(Nearest(self.fields.values()))
        return self._names[0].find(name)

    def _knowing(self, one: Field) -> KnownField:
        owner = self.owners.get(one.fid)
        return KnownField(
            one, owner.table if owner else None, one.name, f"{one.name} (FID {one.fid}, {one.type.value})"
        )

    def _of_one_type(self, source: str, found: Sequence[Field]) -> KnownField:
        """One of the fields, to stand for all."""
        ones = [self._knowing(each) for each in found]
        first = ones[0]
        for other in ones[1:]:
            if (other.field.type, other.field.length) != (first.field.type, first.field.length):
                what = f"{_typed(first.field)} and {_typed(other.field)}"
            elif _displays(other) != _displays(first):
                what = f"{first.name} and {other.name}, whose tables differ"
            else:
                continue
            raise FieldNameError(
                f"{source} can become {what}: its fields must be of one type",
                Code.NAME_TEMPLATE_TYPES,
                "Write more of the name outside of the braces, or number(…) inside where only digits are meant",
            )
        return first


def _displays(known: KnownField) -> dict[int, str] | None:
    return known.table.displays if known.table is not None else None


def _typed(one: Field) -> str:
    return f"{one.name} ({one.type.value}, {one.length} bytes)"


def _pattern(part: object) -> str:
    if isinstance(part, str):
        return re.escape(part)
    return "-?[0-9]+" if getattr(part, "kind", None) is Kind.NUMBER else ".+"


@dataclass(frozen=True, slots=True)
class _Resolve:
    """Makes sure that a name which a record gave is one of those that its template can become."""

    source: str
    names: frozenset[str]

    def __call__(self, name: str) -> str:
        if name in self.names:
            return name
        listed = sorted(self.names, key=lambda each: (len(each), each))
        some = ", ".join(listed) if len(listed) <= _LISTED else f"{listed[0]} to {listed[-1]}"
        raise out_of_range(f"{shown(name)} is none of its fields ({some})")
