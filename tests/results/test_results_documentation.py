"""docs/results.md: its example is a result, and every status is explained."""

import json
import re
from pathlib import Path

from tests.results.made_results import POST, RESULT, SOURCE

from contribd.answers.table import Hint
from contribd.config.answers import shipped
from contribd.engine.records.price import Status
from contribd.results.result import decode_result

PAGE = (Path(__file__).parents[2] / "docs" / "results.md").read_text()
[EXAMPLE] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_a_result_with_every_key() -> None:
    result = decode_result(EXAMPLE.encode())
    assert result.place == "prices:3:1812 3/40"
    shown = json.loads(EXAMPLE)
    assert list(shown) == [*list(RESULT)[:7], "hint", *list(RESULT)[7:]]
    assert Hint(**shown["hint"]) == shipped().explain(result.code, result.text)
    assert list(shown["source"]) == [*SOURCE, "part", "parts", "sha256", "topic_id"]
    assert list(shown["posts"][0]) == list(POST)


def test_every_status_is_explained_once() -> None:
    assert sorted(re.findall(r"^\| ([A-Z]{3,}) \|", PAGE, re.MULTILINE)) == sorted(Status)
