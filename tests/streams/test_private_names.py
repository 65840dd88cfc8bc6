"""What is used of kafka-python without its promise is written down, and is there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.streams.kafka_shape import problem_of

from contribd.streams.client.private_names import PRIVATE_NAMES, Attribute, Method, PrivateName

PUBLIC = {"_asdict", "_fields", "_make", "_replace"}
"""What a named tuple has, whose names begin so lest they be taken for fields."""

CLIENT = Path(__file__).parents[2] / "daemon" / "contribd" / "streams" / "client"


@pytest.mark.parametrize("name", PRIVATE_NAMES, ids=lambda name: f"{name.owner.split(':')[1]}.{name.name}")
def test_it_is_there_and_has_the_shape_it_is_used_in(name: PrivateName) -> None:
    assert problem_of(name) is None


def private_names(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every private attribute of something else than ``self``."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
            continue
        if node.attr not in PUBLIC and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
            yield node.lineno, node.attr


def test_each_one_that_is_used_is_written_down_and_none_besides() -> None:
    written = {each.name for each in PRIVATE_NAMES if each.name.startswith("_") and not each.name.startswith("__")}
    used = {path.name: list(private_names(path)) for path in sorted(CLIENT.glob("*.py"))}
    unknown = [f"{file}:{line}: {name}" for file, found in used.items() for line, name in found if name not in written]
    assert unknown == []
    assert written - {name for found in used.values() for _, name in found} == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (Method("kafka.no_such:Thing", "it", (), "x"), "No module named 'kafka.no_such'"),
        (Method("kafka:NoSuchClient", "it", (), "x"), "NoSuchClient"),
        (Method("kafka:KafkaProducer", "_no_such", (), "x"), "no such method"),
        (Method("kafka:KafkaProducer", "send", ("subject",), "x"), "takes ('self', 'topic'"),
        (Attribute("kafka:KafkaProducer", "_no_such", "", "x"), "not set by __init__"),
        (Attribute("kafka:KafkaProducer", "_sender", "Receiver", "x"), "a Sender, not a Receiver"),
    ],
)
def test_what_is_not_there_is_named(name: PrivateName, text: str) -> None:
    problem = problem_of(name)
    assert problem is not None
    assert problem.startswith(f"{name.owner}.{name.name} ")
    assert text in problem
