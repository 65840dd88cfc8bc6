"""The arrows between the parts point one way, and the pure parts stay pure."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "daemon" / "contribd"
MODULES = {
    "contribd." + ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))
}

PURE = ("answers", "drafting", "engine", "omm", "mapping", "dictionary", "plan")
IMPURE_MODULES = {
    "_thread", "asyncio", "concurrent", "io", "kafka", "logging", "multiprocessing", "os", "pathlib", "queue", "random",
    "secrets", "select", "selectors", "signal", "socket", "ssl", "structlog", "subprocess", "sys", "tempfile",
    "tenacity", "threading", "time", "uuid", "websocket",
}  # fmt: skip
CLOCKS = re.compile(r"\b(time\.(time|monotonic|perf_counter)\w*|datetime\.(now|utcnow|today)|date\.today)\s*\(")

ALLOWED = {
    "answers": {"answers"},
    "omm": {"omm", "mapping"},
    "mapping": {"mapping"},
    "dictionary": {"dictionary", "mapping"},
    "drafting": {"drafting", "mapping"},
    "engine": {"engine", "omm", "mapping", "answers"},
    "plan": {"plan", "mapping"},
    "config": {"config", "answers", "dictionary", "mapping", "omm", "tls"},
    "ops": {"ops", "engine", "answers"},
    "ads": {"ads", "engine", "omm", "tls"},
    "streams": {"streams", "engine", "mapping", "ops", "config"},
    "results": {"results", "engine", "mapping", "streams", "ops", "config"},
    "audit": {"audit", "results", "streams", "engine", "mapping", "config", "ops"},
    "checks": {"checks", "ads", "streams", "engine", "omm"},
    "pausing": {"pausing", "streams", "engine", "ops"},
    "quoting": {"quoting", "pausing", "streams", "engine", "ops"},
    "orders": {"quoting", "pausing", "streams", "engine", "ops"},
    "trail": {"audit", "config", "orders", "reloads", "streams", "ops"},
    "reloads": {"answers", "orders", "pausing", "engine", "ops"},
    "rules_reader": {"build", "config", "ops", "reloads"},
    "control": {"control", "orders", "quoting", "pausing", "reloads", "engine", "ops"},
    "terminal": {"terminal", "results", "mapping", "streams", "ops"},
    "tls": set(),
    "loop": {"orders", "quoting", "pausing", "reloads", "ads", "streams", "engine"},
}
"""What each part may import of the package: what is below it. The connection takes the names of its failures from the
engine, the streams their events; the reader of results takes its client's settings from the configuration, which takes
the names of NakCodes from the wire format; ``check`` loads certificates by the same function as a connection."""

LEAVES = {"states", "limits", "policy", "clock", "counters", "commands", "event_log"}
ALLOWED_INSIDE = {
    "engine": {
        "records": {"records", *LEAVES},
        "posts": {"posts", "records", *LEAVES},
        "session": {"session", *LEAVES},
        **{leaf: {"limits"} for leaf in LEAVES},
        "events": {"records", "session", "policy"},
        "view": {"records", "session", *LEAVES},
        "engine": {"records", "posts", "session", "events", "view", *LEAVES},
    },
    "streams": {
        "runtime": set(),
        "readiness": set(),
        "client": {"client", "runtime"},
        "group": {"group", "client", "runtime"},
        "broker_limits": {"client"},
        "transaction": {"client", "group", "broker_limits", "runtime"},
        "sink": {"client", "group", "broker_limits", "transaction", "readiness", "runtime"},
        "source": {"client", "group", "readiness", "runtime"},
        "span": set(),
        "traffic": {"client", "span"},
        "order_topic": {"client", "runtime"},
        "audit_topics": {"client", "runtime"},
        "standing_reader": {"client", "runtime"},
    },
}
"""The same inside the two parts that have parts of their own. Posts and session never meet but in the engine."""

GENERATOR = ("random", "random.Random")
"""The engine names the type of the generator it is given."""

KAFKA_BY_PORTS = {"streams", "checks", "engine", "loop", "worker"}
"""These see Kafka by the ports of ``streams/client``, which alone imports the client of it."""

KAFKA_USERS = re.compile(r"contribd\.(streams|results|checks|simulation\.demo|loop|worker)(\.|$)")
"""All that have to do with Kafka at all."""

PUBLIC = {"_asdict", "_fields", "_make", "_replace"}
"""What a named tuple has, whose names begin so lest they be taken for fields."""

SIMULATION_USERS = re.compile(r"contribd\.(simulation(\..+)?|cli\.(simulate|simulate_engine|demo|chaos))$")


def part(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that is imported, at whatever depth; names from packages as well."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def own(path: Path) -> Iterator[tuple[int, str]]:
    return ((line, name) for line, name in imports(path) if name.split(".")[0] == "contribd")


def test_the_pure_parts_import_no_clock_thread_socket_logger_or_client() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if part(module) in PURE
        for line, name in imports(MODULES[module])
        if name.split(".")[0] in IMPURE_MODULES and not (part(module) == "engine" and name in GENERATOR)
    ]
    assert found == []


def test_the_pure_parts_read_no_clock() -> None:
    assert [module for module in MODULES if part(module) in PURE and CLOCKS.search(MODULES[module].read_text())] == []


def test_each_part_imports_only_what_is_below_it() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if part(module) in ALLOWED
        for line, name in own(MODULES[module])
        if part(name) not in {"", "__version__"} | ALLOWED[part(module)]
    ]
    assert found == []


def inner(module: str) -> str:
    return module.split(".")[2] if module.count(".") > 1 else ""


@pytest.mark.parametrize("whole", sorted(ALLOWED_INSIDE))
def test_inside_a_part_each_imports_only_what_is_below_it(whole: str) -> None:
    rules = ALLOWED_INSIDE[whole]
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if part(module) == whole and inner(module) in rules
        for line, name in own(MODULES[module])
        if part(name) == whole and inner(name) and inner(name) not in rules[inner(module)]
    ]
    assert found == []
    assert {inner(module) for module in MODULES if part(module) == whole} - {"", "__init__"} <= set(rules)


def behind_the_door(module: str) -> bool:
    return module.startswith("contribd.streams.client.")


def test_the_client_of_kafka_is_imported_behind_one_door() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if part(module) in KAFKA_BY_PORTS and not behind_the_door(module)
        for line, name in imports(MODULES[module])
        if name.split(".")[0] == "kafka"
    ]
    assert found == []


def test_the_streams_see_time_and_wait_by_their_runtime_alone() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if part(module) == "streams" and inner(module) != "runtime"
        for line, name in imports(MODULES[module])
        if name.split(".")[0] in {"time", "threading"}
    ]
    assert found == []


def private_names(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every private attribute of anything but ``self`` and ``cls``."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute) or not re.match("_[a-z]", node.attr) or node.attr in PUBLIC:
            continue
        if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", "os"}):
            yield node.lineno, ast.unparse(node)


def test_no_private_name_of_the_client_of_kafka_is_used_before_the_door() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if KAFKA_USERS.match(module) and not behind_the_door(module)
        for line, name in private_names(MODULES[module].read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("consumer._coordinator.heartbeat", ["consumer._coordinator"]),
        ("self._consumer._net.run(1)", ["self._consumer._net"]),
        ("opened()._sender._data = 1", ["opened()._sender._data", "opened()._sender"]),
        ("self._lease; cls._made; os._exit(1); record._replace(offset=1); each.__class__", []),
    ],
)
def test_every_private_name_is_seen(source: str, found: list[str]) -> None:
    assert [name for _, name in private_names(source)] == found


def test_the_daemon_knows_nothing_of_the_simulation() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if not SIMULATION_USERS.match(module)
        for line, name in own(MODULES[module])
        if part(name) == "simulation"
    ]
    assert found == []


def test_nothing_below_imports_the_command_line() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in MODULES
        if part(module) not in ("cli", "simulation", "__main__")
        for line, name in own(MODULES[module])
        if part(name) in ("cli", "__main__")
    ]
    assert found == []


def test_the_rules_look_at_every_module() -> None:
    assert len(MODULES) > 80
    known = {"contribd.engine.engine", "contribd.omm.answers", "contribd.mapping.mapper", "contribd.worker"}
    assert known <= set(MODULES)
    assert {part(module) for module in MODULES} >= set(ALLOWED) | {"cli", "simulation"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import os.path", {"os.path"}),
        ("from contribd import ops", {"contribd", "contribd.ops"}),
        ("def f():\n    from contribd.config.load import load", {"contribd.config.load", "contribd.config.load.load"}),
    ],
)
def test_every_form_of_import_is_seen(tmp_path: Path, source: str, names: set[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(source)
    assert {name for _, name in imports(file)} == names
