"""What a name in an expression stands for: a key of the record, a ``let``, a table, or what begins with ``@``."""

from collections.abc import Iterable
from difflib import get_close_matches

from contribd.mapping.codes import Code
from contribd.mapping.lexer import Token
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.scope import EMPTY, INDEX, LAST, POST, SURROUNDINGS, Scope, Surroundings
from contribd.mapping.syntax import Access, Key, Literal, Node, Path, Row, TableName
from contribd.mapping.tables import Table
from contribd.mapping.written import short

_PLACES = (*(f"@{name}" for name in Surroundings._fields), EMPTY.name, POST.name, LAST.name)

_OF_THE_RECORD = frozenset({"@value", "@record", "@message", "@payload"})
"""What the record is called by lines that say what surrounds it, and elsewhere."""


def place(token: Token, scope: Scope) -> tuple[Key, ...]:
    """How the path begins that a name with ``@`` stands for."""
    name = str(token.value)
    if name == EMPTY.name:
        return (EMPTY,)
    if name == POST.name:
        if scope.post is None:
            raise ExpressionError(
                token.at,
                "@post is known in checks alone: what will be posted is not computed before",
                code=Code.NO_POST,
                cure="Move the condition into checks, or name the keys of the record",
            )
        return (POST,)
    if name == LAST.name:
        if scope.last is None:
            raise ExpressionError(
                token.at,
                "@last is known in fields and checks alone: it is that of a RIC, which is not computed before",
                code=Code.NO_LAST,
                cure="Move it into the expression of a field, or into checks",
            )
        return (LAST,)
    if name in _PLACES:
        return (SURROUNDINGS, name[1:])
    if name in _OF_THE_RECORD:
        text, cure = f"there is no {name}: the record itself has no name", "Write its keys by themselves, as in bid"
        raise ExpressionError(token.at, text, code=Code.NO_SURROUNDING, cure=cure)
    raise ExpressionError(
        token.at,
        f"there is no {name}",
        code=Code.NO_SURROUNDING,
        cure=f'{_nearest(name, _PLACES)}; a key of the record that is called so is ["{name}"]',
    )


def named(token: Token, scope: Scope) -> Node:
    """A name that is no function."""
    name = str(token.value)
    if name in scope.lets:
        return Path(token.at, (scope.lets[name],))
    if name in scope.tables:
        return TableName(token.at, scope.tables[name])
    return Path(token.at, (name,))


def stepped(node: Node, key: Node, opening: Token) -> Node:
    """``node`` with one more key or position, which ``opening`` (a dot or a bracket) begins."""
    if isinstance(node, TableName):
        if opening.value == ".":
            raise _dotted(node, key)
        return Row(node.at, node.table, key)
    if isinstance(node, Path) and isinstance(key, Literal) and isinstance(key.value, str | int):
        return Path(node.at, (*node.keys, key.value))
    return Access(node.at, node, key)


def _dotted(node: TableName, key: Node) -> ExpressionError:
    """A row that is named as a key of the record would be."""
    error = table_alone(node)
    name = key.value if isinstance(key, Literal) else None
    if isinstance(name, str) and name in node.table.rows:
        error.cure = f'Write {node.table.name}["{name}"]'
    return error


def table_alone(node: TableName) -> ExpressionError:
    """A table stands where a value is needed."""
    name, columns = node.table.name, sorted(node.table.columns or ())
    column = f".{columns[0]}" if columns else ""
    return ExpressionError(
        node.at,
        f"{name} is a table; a key in brackets takes a row of it",
        code=Code.TABLE,
        cure=f"Write {name}[key]{column}, with the expression that gives the key",
    )


def check_names(nodes: Iterable[Node], scope: Scope) -> None:
    """Raises ExpressionError where something is named that the surroundings, the post or a table cannot have."""
    for node in nodes:
        if isinstance(node, Path):
            _check_path(node, scope)
        elif isinstance(node, Access) and isinstance(node.base, Row):
            _check_column(node, node.base.table)


def _check_path(node: Path, scope: Scope) -> None:
    root, *rest = node.keys
    if root is POST:
        _check_post(node, rest, scope)
    elif root is LAST:
        _check_last(node, rest, scope)
    elif root is SURROUNDINGS:
        if rest == ["headers"]:
            text = "@headers takes the name of a header"
            raise ExpressionError(node.at, text, code=Code.NO_SURROUNDING, cure="Write @headers.source, for example")
        _check_end(node, 3 if rest[0] == "headers" else 2)
    elif root in (EMPTY, INDEX):
        _check_end(node, 1)


def _check_post(node: Path, rest: list[Key], scope: Scope) -> None:
    fields = scope.post or frozenset()
    if not rest or not isinstance(rest[0], str):
        text = "@post takes the name of a field"
        raise ExpressionError(node.at, text, code=Code.NO_POST, cure=f"Write @post.{min(fields, default='FIELD')}")
    if rest[0] not in fields:
        text = f"{scope.mapping} posts no field {rest[0]}"
        raise ExpressionError(node.at, text, code=Code.NO_POST, cure=_nearest(rest[0], fields))
    _check_end(node, 2)


def _check_last(node: Path, rest: list[Key], scope: Scope) -> None:
    fields = scope.last or frozenset()
    if not rest or not isinstance(rest[0], str):
        text = "@last takes the name of a field"
        raise ExpressionError(node.at, text, code=Code.NO_LAST, cure=f"Write @last.{min(fields, default='FIELD')}")
    if rest[0] not in fields:
        text = f"no mapping of this file posts a field {rest[0]}"
        raise ExpressionError(node.at, text, code=Code.NO_LAST, cure=_nearest(rest[0], fields))
    _check_end(node, 2)


def _check_end(node: Path, most: int) -> None:
    if len(node.keys) > most:
        whole = short(Path(node.at, node.keys[:most]))
        raise ExpressionError(
            node.at, f"{whole} is no list or object: nothing is within it", code=Code.KIND, cure=f"Write {whole}"
        )


def _check_column(node: Access, table: Table) -> None:
    if table.columns is None:
        raise ExpressionError(
            node.at,
            f"a row of {table.name} is one value, it has no columns",
            code=Code.NO_COLUMN,
            cure=f"Write {short(node.base)}",
        )
    if isinstance(node.key, Literal) and node.key.value not in table.columns:
        text = f"the table {table.name} has no column {node.key.value}"
        raise ExpressionError(node.key.at, text, code=Code.NO_COLUMN, cure=_nearest(str(node.key.value), table.columns))


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"Write {near[0]}" if near else f"Write one of {', '.join(names[:20])}"
