"""``${NAME}`` and its relatives in the scalars of a parsed document.

``${NAME}``, ``${NAME:-default}`` (where unset or empty), ``${NAME:?message}`` (an error where unset or empty),
``${file:/path}``, ``${credential:name}`` (a file in ``$CREDENTIALS_DIRECTORY``). ``$${`` stands for ``${``.
One pass: what comes in is not looked at again. No message ever holds a value that came in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contribd.config.nodes import DataPath, Node, Scalar, walk

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*)(?P<end>\}?)")
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<how>:-|:\?)(?P<rest>.*))?\Z", re.DOTALL | re.ASCII)
_CREDENTIAL = re.compile(r"[A-Za-z0-9._-]{1,255}\Z", re.ASCII)
_FORMS = "expected ${NAME}, ${NAME:-default}, ${NAME:?message}, ${file:/path} or ${credential:name}; $${ stands for ${"

MAX_VALUE_BYTES = 64 * 1024
"""Far above any key or token; keeps ${file:...} on a device or a log from filling the memory."""
_MIN_SECRET = 4
"""A shorter value is not looked for elsewhere: it would be found in ordinary words."""


class _Missing(Exception):
    pass


@dataclass
class Interpolation:
    """Replaces what is to be interpolated; call it with a tree. ``secrets`` then holds what came from files.

    ``unknown`` lists the places whose value could not be had; they are left as written. With ``lenient`` nothing
    outside is looked at: defaults are taken, and needing more is no problem.
    """

    environ: Mapping[str, str]
    lenient: bool = False
    secrets: set[str] = field(default_factory=set)
    unknown: set[DataPath] = field(default_factory=set)
    _unknown: set[int] = field(default_factory=set, init=False, repr=False)

    def __call__(self, root: Node) -> list[tuple[DataPath, str]]:
        problems: list[tuple[DataPath, str]] = []
        done: set[int] = set()
        for path, scalar in walk(root):
            if "${" in scalar.text and id(scalar) not in done:
                problems += [(path, text) for text in self._replace(scalar)]
            done.add(id(scalar))  # one scalar may stand in several places, by aliases
            if id(scalar) in self._unknown:
                self.unknown.add(path)
        return problems

    def _replace(self, scalar: Scalar) -> list[str]:
        problems: list[str] = []
        sources: list[str] = []
        written = scalar.text

        def value(token: re.Match[str]) -> str:
            if token["body"] is None:
                return "${"
            sources.append(token[0])
            try:
                return self._value(token, scalar)
            except _Missing as missing:
                self._unknown.add(id(scalar))
                problems.append(str(missing))
                return ""

        text = _TOKEN.sub(value, scalar.text)
        if id(scalar) not in self._unknown:
            scalar.text = text
        scalar.sources, scalar.written = tuple(sources), written
        return problems

    def _value(self, token: re.Match[str], scalar: Scalar) -> str:
        body = token["body"]
        if not token["end"]:
            raise _Missing(f"${{ without its }}: {_FORMS}")
        for prefix, read in (("file:", self._file), ("credential:", self._credential)):
            if body.startswith(prefix):
                return self._outside(read, body.removeprefix(prefix), token[0], scalar)
        variable = _VARIABLE.match(body)
        if variable is None:
            raise _Missing(f"{token[0]} is not understood: {_FORMS}")
        return self._variable(variable, scalar)

    def _variable(self, variable: re.Match[str], scalar: Scalar) -> str:
        name, how, rest = variable["name"], variable["how"], variable["rest"]
        if self.lenient:
            if how != ":-":
                self._unknown.add(id(scalar))
            return rest or ""
        value = self.environ.get(name)
        if value or (value is not None and how is None):
            return _utf8(value, name)
        if how == ":-":
            return str(rest)
        if how == ":?":
            raise _Missing(f"${{{name}}} is not set: {rest or 'it must be'}")
        raise _Missing(f"${{{name}}} is not set; set it in the environment, or write ${{{name}:-default}}")

    def _outside(self, read: Callable[[str, str], Path], name: str, token: str, scalar: Scalar) -> str:
        path = read(name, token)
        if self.lenient:
            self._unknown.add(id(scalar))
            return ""
        value = _content(path, token)
        if len(value) >= _MIN_SECRET:
            self.secrets.add(value)
        return value

    def _file(self, name: str, token: str) -> Path:
        if not name.startswith("/") or "\0" in name:
            raise _Missing(f"{token}: expected the absolute path of a file")
        return Path(name)

    def _credential(self, name: str, token: str) -> Path:
        if not _CREDENTIAL.match(name) or name in (".", ".."):
            raise _Missing(f"{token}: expected the name of a credential: letters, digits, '.', '_' and '-'")
        directory = self.environ.get("CREDENTIALS_DIRECTORY", "")
        if not directory and not self.lenient:
            raise _Missing(
                f"{token}: $CREDENTIALS_DIRECTORY is not set; systemd sets it for LoadCredential={name}:/path/to/secret"
            )
        return Path(directory, name)


def _content(path: Path, token: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_VALUE_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise _Missing(f"{token}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _Missing(f"{token}: {path} is not UTF-8 text") from None
    if len(content) > MAX_VALUE_BYTES:
        raise _Missing(f"{token}: {path} is larger than {MAX_VALUE_BYTES} bytes")
    return text.removesuffix("\n").removesuffix("\r")


def _utf8(value: str, name: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Missing(f"${{{name}}} is not UTF-8 text") from None
    return value


def refuse(root: Node) -> list[tuple[DataPath, str]]:
    """For files where nothing is interpolated (mappings): says so, instead of posting a literal ``${NAME}``."""
    text = (
        "${ in a mapping file: variables are read in the configuration only, so that a mapping says exactly what is "
        "posted; choose between mapping files by a variable in the configuration's mappings"
    )
    return [(path, text) for path, scalar in walk(root) if "${" in scalar.text]
