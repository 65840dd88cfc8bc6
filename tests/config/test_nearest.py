"""What is proposed instead of a wrong word or value is what was meant, written as it can be copied."""

from pathlib import Path

import pytest

from contribd.config.cures import misfit
from contribd.config.load import inspect
from contribd.config.nearest import nearest

CONFIG = "kafka: {bootstrap_servers: 'a:1'}\nads: {endpoints: ['ws://a:1'], service: S}\n"


def told(folder: Path, mapping: str) -> list[tuple[str, str, str]]:
    (folder / "contribd.yaml").write_text(CONFIG)
    (folder / "mappings").mkdir()
    (folder / "mappings/a.yaml").write_text(mapping)
    return [(each.path, each.text, each.cure) for each in inspect(folder / "contribd.yaml", environ={}).problems]


def test_two_letters_exchanged_are_nearer_than_one_more() -> None:
    assert nearest("form", ["format", "from", "missing"]) == "from"
    assert nearest("formt", ["format", "from"]) == "format"
    assert nearest("aa", ["aa"]) == "aa"
    assert nearest("x", ["format"]) == ""


def test_a_key_with_two_letters_exchanged(tmp_path: Path) -> None:
    ((_, text, cure),) = told(tmp_path, "mappings: [{name: a, ric: x, fields: {MID_PRICE: {form: bid}}}]\n")
    assert (text, cure) == ("unknown key; did you mean from?", "Write from")


@pytest.mark.parametrize(
    "wanted", ["expected host:port, as in 127.0.0.1:9820, or null", "expected x, as in 127.0.0.1:9820"]
)
def test_an_example_ends_where_the_sentence_goes_on(wanted: str) -> None:
    assert misfit(wanted, '"x"', "x", ("http", "listen")).cure == "write it as in 127.0.0.1:9820"


@pytest.mark.parametrize("posts", ["{ric: x}", "{ric: x, fields: {BID: 1}}", "{rejected: BadValue}"])
def test_one_post_in_place_of_a_list_of_them_is_one_mistake(tmp_path: Path, posts: str) -> None:
    found = told(
        tmp_path,
        "mappings: [{name: a, ric: x, fields: {BID: bid}}]\n"
        f"tests: [{{name: t, record: {{bid: 1}}, posts: {posts}}}]\n",
    )
    ((path, text, cure),) = found
    assert (path, text) == ("tests[0].posts", "expected a list of posts")
    assert cure.startswith("Write posts: [{ric: …}]")


def test_a_misspelt_key_of_posts_is_told_as_such(tmp_path: Path) -> None:
    mapping = "mappings: [{name: a, ric: x, fields: {BID: bid}}]\ntests: [{record: {bid: 1}, posts: {includng: []}}]\n"
    assert ("tests[0].posts.includng", "unknown key; did you mean including?", "Write including") in told(
        tmp_path, mapping
    )
