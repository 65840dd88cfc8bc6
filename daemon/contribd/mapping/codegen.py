"""Syntax tree to a Python function.

The function is built as Python syntax nodes, never as text: nothing of a mapping file is ever read as Python, and the
only names in it are the record, the helpers below and constants. Measured against closures over the same helpers it
takes a fifth to nine tenths of the time: a ``when`` of two comparisons 0.11 µs for 0.50, a mean of two prices 0.74 for
0.82, where decimal arithmetic takes most of it.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from contribd.mapping.computed_names import ComputedName, different
from contribd.mapping.operators import Value
from contribd.mapping.python_nodes import RECORD, PythonNodes, lambda_of
from contribd.mapping.syntax import Node
from contribd.mapping.tape import current_tape

Evaluate: TypeAlias = Callable[[Mapping[Any, Value]], Value]
"""Of a record, whose keys are text, and a Place for what is not the record."""


def generate(node: Node) -> Evaluate:
    """A function of the record (a dict from JSON). It raises only what ``mistakes.RAISED`` lists.

    ``node`` must have passed ``analyse``. To be called under ``numbers.CONTEXT``.
    """
    generator = PythonNodes()
    return _function(generator, generator.expression(node))


def generate_later(node: Node) -> Evaluate:
    """The same, made when it is first called: for what is seldom asked by itself."""
    if current_tape() is not None:
        return generate(node)
    made: list[Evaluate] = []

    def evaluate(record: Mapping[Any, Value]) -> Value:
        if not made:
            made.append(generate(node))
        return made[0](record)

    return evaluate


def generate_object(entries: Sequence[tuple[str | ComputedName, Node, Callable[[Value], Value]]]) -> Evaluate:
    """One function of the record that gives a dict: each key with its node's value, passed through its function.

    One call and one place for failures instead of one a field. It fails where two computed keys are one. What it raises
    says no more than that it failed: each field is to be asked by itself then.
    """
    generator = PythonNodes(plain=True)
    values = [generator.piped(node, function) for _, node, function in entries]
    whole: ast.expr = ast.Dict([generator.key(key) for key, _, _ in entries], values)
    if any(isinstance(key, ComputedName) for key, _, _ in entries):
        whole = generator.called(different, whole, ast.Constant(len(entries)))
    return _function(generator, whole)


def generate_name(name: ComputedName) -> Evaluate:
    """A function of the record that gives the name of a field."""
    generator = PythonNodes()
    return _function(generator, generator.key(name))


def generate_text(
    parts: Sequence[str | Node], convert: Callable[[Value], str], last: Callable[[str], str], *, plain: bool
) -> Evaluate:
    """One function of the record that puts a text together and passes it through ``last``.

    Texts stand as they are, nodes go through ``convert``. ``plain``: where it fails, nobody asks it why.
    """
    generator = PythonNodes(plain=plain)
    return _function(generator, generator.called(last, generator.text(parts, convert)))


def generate_all(conditions: Sequence[Node]) -> Evaluate:
    """One function of the record that says whether all of these are true; it fails where one of them does, and says no
    more than that.

    While a tape records it says no, so that each is asked by itself and noted once.
    """
    generator = PythonNodes(plain=True)
    if generator.noted:
        return _function(generator, ast.Constant(False))
    asked = [generator.condition(node) for node in conditions]
    whole: ast.expr = ast.BoolOp(ast.And(), asked) if len(asked) > 1 else [*asked, ast.Constant(True)][0]
    return _function(generator, whole)


def _placed(tree: ast.Expression) -> ast.Expression:
    """``tree`` with the places that Python wants of each node; ``ast.fix_missing_locations`` takes thrice as long."""
    nodes: list[Any] = [tree]
    while nodes:
        node = nodes.pop()
        node.lineno, node.col_offset = 1, 0
        for name in node._fields:
            value = getattr(node, name)
            if type(value) is list:
                nodes.extend(value)
            elif isinstance(value, ast.expr | ast.arguments):
                nodes.append(value)
    return tree


def _function(generator: PythonNodes, body: ast.expr) -> Evaluate:
    code = compile(_placed(ast.Expression(lambda_of(body, [RECORD]))), "<mapping>", "eval")
    return cast("Evaluate", eval(code, generator.names))  # noqa: S307 - our own tree: names and constants are ours
