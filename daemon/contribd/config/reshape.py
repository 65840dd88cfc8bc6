"""Lists that stand where a section is meant, and the other way round: told, and taken as they are meant.

So that one such mistake, of a line, does not hide whatever is wrong in everything below it.
"""

import typing
from typing import Any

from pydantic import BaseModel

from contribd.config.codes import FileCode
from contribd.config.document import Document
from contribd.config.keys import field_annotations, members
from contribd.config.nodes import Items, Node, Report, Scalar, Section


def reshape(document: Document, model: type[BaseModel]) -> None:
    """Change the document's tree to what the model has, where it is plain what is meant."""
    root, told = document.root, len(document.problems)
    if isinstance(root, Items) and "mappings" in model.model_fields and _are_sections(root):
        text, cure = (
            "expected a section (key: value), got a list",
            "Write mappings: above it, and indent the list below",
        )
        document.report(root.start, text, FileCode.KIND, cure)
        key = Scalar("mappings", None, root.start, root.start)
        document.root = Section(root.start, {"mappings": (key, root)})
    if document.root is not None:
        _Reshaper(document.report).inside(document.root, model)
    if len(document.problems) > told:
        document.changed()


def _are_sections(items: Items) -> bool:
    return bool(items.items) and all(isinstance(item, Section) for item in items.items)


class _Reshaper:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: set[int] = set()

    def inside(self, node: Node, annotation: Any) -> None:
        """Everything below a node."""
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, Items):
            for item in node.items:
                self.inside(item, _of_list(annotation))
        elif isinstance(node, Section):
            for name, (key, value) in list(node.entries.items()):
                wanted = field_annotations(annotation, name)
                made = self._as_meant(key, value, wanted)
                node.entries[name] = (key, made)
                for each in wanted:
                    self.inside(made, each)

    def _as_meant(self, key: Scalar, node: Node, wanted: list[Any]) -> Node:
        kinds = [member for each in wanted for member in members(each)]
        lists = [each for each in kinds if typing.get_origin(each) in (list, tuple)]
        sections = [each for each in kinds if _is_section(each)]
        if lists and not sections and isinstance(node, Section) and node.entries:
            return self._listed(key, node, [inner for each in lists for inner in members(typing.get_args(each)[0])])
        only = [each for each in kinds if each is not type(None)]
        if only and all(typing.get_origin(each) is list and _takes_text(each) for each in only) and _is_text(node):
            cure = f"Write {key.text}: with each item on a line of its own below it, behind '- '"
            end = node.end if isinstance(node, Scalar) else None
            self._report(node.start, "expected a list, got text", FileCode.KIND, cure, end)
            return Items(node.start, [node])
        if sections and not lists and isinstance(node, Items) and _are_sections(node):
            return self._joined(key, node)
        return node

    def _listed(self, key: Scalar, node: Section, inner: list[Any]) -> Node:
        models = [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]
        if not models:
            return node
        keys = {field.alias or name for each in models for name, field in each.model_fields.items()}
        if set(node.entries) & keys:
            cure = f"Write '- ' before its first key, and two spaces more before the others, below {key.text}:"
            items = [node]
        elif "name" in keys and all(isinstance(value, Section) for _, value in node.entries.values()):
            cure = f"Write - name: {next(iter(node.entries))} below {key.text}:, with its keys under name"
            items = [_named(name, value) for name, value in node.entries.values() if isinstance(value, Section)]
        else:
            return node
        text = "expected a list, got a section"
        self._report(key.start, text, FileCode.KIND, cure, key.end)
        return Items(node.start, list(items), node.size)

    def _joined(self, key: Scalar, node: Items) -> Node:
        made = Section(node.start)
        for item in node.items:
            if not isinstance(item, Section) or item.broken or set(item.entries) & set(made.entries):
                return node
            made.entries |= item.entries
            made.broken |= item.broken
        text = "expected a section (key: value), got a list"
        cure = f"Take the '- ' away from the lines below {key.text}:"
        self._report(key.start, text, FileCode.KIND, cure, key.end)
        made.size = node.size
        return made


def _takes_text(annotation: Any) -> bool:
    """Whether an item of the list can be written as a text."""
    return any(each is str or hasattr(each, "short_path") for each in members(typing.get_args(annotation)[0]))


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and bool(node.text) and not node.broken


def _named(name: Scalar, section: Section) -> Section:
    made = Section(
        name.start, {"name": (Scalar("name", None, name.start, name.end), name)}, section.size, section.broken
    )
    made.entries |= {key: entry for key, entry in section.entries.items() if key != "name"}
    return made


def _is_section(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    arguments = typing.get_args(annotation)
    return typing.get_origin(annotation) is dict and any(
        isinstance(each, type) and issubclass(each, BaseModel) for each in members(arguments[-1])
    )


def _of_list(annotation: Any) -> Any:
    arguments = [typing.get_args(each)[0] for each in members(annotation) if typing.get_origin(each) in (list, tuple)]
    return arguments[0] if arguments else None
