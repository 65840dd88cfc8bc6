"""What a mapping says beside its posts is merged under each of them, and each part is told where it was written."""

import pytest
from tests.config.conftest import Write

from contribd.config.errors import ConfigError
from contribd.config.load import Loaded, inspect, load
from contribd.config.show import show
from contribd.mapping.outcome import Mapped, Several

DESK = """\
defaults:
  service: DESK
  let: {half: bid / 2}
  fields: {CTBTR_1: {value: ACME}, BID: {value: 1}}
  checks: [bid > 0]
"""
PAIR = """\
include: [../desk.yaml]
mappings:
  - name: pair
    let: {mid: (bid + ask) / 2}
    ric: "{pair}="
    fields: {BID: bid, MID: mid}
    checks: [bid <= ask]
    withdraw: [BID, ROW]
    posts:
      - {}
      - service: PAGES
        post: refresh
        ric: PAGE
        let: {row: pair}
        fields: {BID: {value: null}, ROW: row}
        checks: [bid < 9, bid > 0]
"""


def loaded(write: Write, pair: str = PAIR) -> Loaded:
    file = write(pair=pair)
    (file.parent / "desk.yaml").write_text(DESK)
    return load(file, environ={})


def problems(write: Write, pair: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        loaded(write, pair)
    return [
        f"{problem.file.name}:{problem.line}:{problem.column}: {problem.path}: {problem.text}"
        for problem in raised.value.problems
    ]


def shown(write: Write, name: str, pair: str = PAIR) -> str:
    text = show(inspect(loaded(write, pair).files[0], environ={}).mappings.documents, name, "TRCC")
    assert text is not None
    return text


def test_posts_have_what_stands_beside_them_and_the_defaults_below_that(write: Write) -> None:
    mapper = loaded(write).mapper
    outcome = mapper.map(b'{"pair": "EUR", "bid": 2, "ask": 3}')
    assert isinstance(outcome, Several)
    one, two = outcome.parts
    assert isinstance(one, Mapped)
    assert isinstance(two, Mapped)
    assert (one.ric, one.service, one.type) == ("EUR=", "DESK", "Update")
    assert (two.ric, two.service, two.type) == ("PAGE", "PAGES", "Refresh")
    assert [*one.fields] == ["CTBTR_1", "BID", "MID"]
    assert [*two.fields.items()][1:2] == [("BID", None)]
    assert [*two.fields] == ["CTBTR_1", "BID", "MID", "ROW"]
    [pair] = mapper.mappings
    assert [[check.that.source for check in post.checks] for post in pair.posts] == [
        ["bid > 0", "bid <= ask"],
        ["bid > 0", "bid <= ask", "bid < 9"],
    ]
    assert pair.withdraw == {"BID", "ROW"}


def test_only_what_a_post_uses_is_computed_for_it(write: Write) -> None:
    pair = PAIR.replace("MID: mid}", "ASK: ask}").replace("row: pair}", "row: pair, low: mid - 1}")
    [mapping] = loaded(write, pair.replace("ROW: row}", "ROW: row, LOW: low}")).mapper.mappings
    assert [[name.name for name, _ in post.lets] for post in mapping.posts] == [[], ["mid", "row", "low"]]


def test_what_is_shown_has_each_post_whole_with_where_its_parts_stand(write: Write) -> None:
    assert [" ".join(line.split()) for line in shown(write, "pair").splitlines()] == [
        "name: pair # pair.yaml:3",
        "withdraw:",
        "- BID # pair.yaml:8",
        "- ROW # pair.yaml:8",
        "posts:",
        "- let:",
        "half: bid / 2 # ../desk.yaml:3",
        "mid: (bid + ask) / 2 # pair.yaml:4",
        'ric: "{pair}=" # pair.yaml:5',
        "service: DESK # ../desk.yaml:2",
        "fields:",
        "CTBTR_1: {value: ACME} # ../desk.yaml:4",
        "BID: bid # pair.yaml:6",
        "MID: mid # pair.yaml:6",
        "checks:",
        "- bid > 0 # ../desk.yaml:5",
        "- bid <= ask # pair.yaml:7",
        "- let:",
        "half: bid / 2 # ../desk.yaml:3",
        "mid: (bid + ask) / 2 # pair.yaml:4",
        "row: pair # pair.yaml:14",
        "ric: PAGE # pair.yaml:13",
        "service: PAGES # pair.yaml:11",
        "post: refresh # pair.yaml:12",
        "fields:",
        "CTBTR_1: {value: ACME} # ../desk.yaml:4",
        "BID: {value: null} # pair.yaml:15",
        "MID: mid # pair.yaml:6",
        "ROW: row # pair.yaml:15",
        "checks:",
        "- bid > 0 # ../desk.yaml:5",
        "- bid <= ask # pair.yaml:7",
        "- bid < 9 # pair.yaml:16",
    ]


def test_what_is_shown_is_read_as_the_same(write: Write) -> None:
    pair = PAIR.replace("withdraw:", "each: points\n    all_or_nothing: true\n    withdraw:").replace(
        '"{pair}="', '"{item}="'
    )
    pair = pair.replace("service: PAGES", "when: item > 0\n        service: PAGES")
    again = "mappings:\n  - " + shown(write, "pair", pair).replace("\n", "\n    ")
    before, after = loaded(write, pair), loaded(write, again.replace("half: bid / 2", "#"))
    assert shown(write, "pair", again.replace("half: bid / 2", "#")).count("each: points") == 1
    record = b'{"pair": "EUR", "bid": 2, "ask": 3, "points": [1, 2]}'
    assert before.mapper.map(record) == after.mapper.map(record)


def test_the_digest_is_that_of_the_posts_as_they_come_out(write: Write) -> None:
    beside = "mappings:\n  - {name: m, fields: {BID: bid}, posts: [{ric: A=}, {ric: B=, fields: {ASK: ask}}]}\n"
    within = (
        "mappings:\n  - name: m\n    posts:\n      - {ric: A=, fields: {BID: bid}}\n"
        "      - {ric: B=, fields: {BID: bid, ASK: ask}}\n"
    )
    assert loaded(write, beside).digest != loaded(write, within.replace("BID: bid, ", "")).digest
    assert loaded(write, beside).mapper.map(b'{"bid":1,"ask":2}') == loaded(write, within).mapper.map(
        b'{"bid":1,"ask":2}'
    )


def test_a_mistake_beside_the_posts_is_told_once_and_where_it_was_written(write: Write) -> None:
    pair = PAIR.replace("MID: mid}", "MID: rund(mid)}").replace("ROW: row}", "ROW: tixt(row)}")
    found = problems(write, pair.replace("- {}", "- {checks: [bid <]}"))
    assert [text.split(": ")[:2] for text in found] == [
        ["pair.yaml:6:29", "mappings[0].fields.MID"],
        ["pair.yaml:10:24", "mappings[0].posts[0].checks[0]"],
        ["pair.yaml:15:43", "mappings[0].posts[1].fields.ROW"],
    ]


def test_a_wrong_shape_hides_no_mistake_in_an_expression_beside_it(write: Write) -> None:
    pair = """\
mappings:
  - name: pair
    fields: {BID: {from: bid, round: x}, ASK: ask +}
    posts:
      - {ric: 5, whem: true}
      - 7
      - {ric: B=, fields: {LAST: {rond: 1}, MID: mid +}, checks: [{text: x}]}
  - {name: other, posts: {}, fields: {BID: bid +}}
"""
    assert sorted(text.split(": ")[1] for text in problems(write, pair)) == [
        "mappings[0].fields.ASK",
        "mappings[0].fields.BID.round",
        "mappings[0].posts[0].ric",
        "mappings[0].posts[0].whem",
        "mappings[0].posts[1]",
        "mappings[0].posts[2].checks[0].that",
        "mappings[0].posts[2].fields.LAST.rond",
        "mappings[0].posts[2].fields.MID",
        "mappings[1].posts",
    ]


def test_a_let_beside_the_posts_is_of_use_where_one_of_them_uses_it(write: Write) -> None:
    one = "mappings:\n  - name: m\n    let: {mid: bid, low: ask}\n    posts:\n"
    one += "      - {ric: A=, fields: {BID: mid}}\n      - {ric: B=, fields: {BID: bid}}\n"
    assert problems(write, one) == ["pair.yaml:3:21: mappings[0].let.low: low is computed and not used"]
    assert loaded(write, one.replace("B=, fields: {BID: bid}", "B=, fields: {BID: low}")).mapper.mappings
    own = one.replace(", low: ask", "").replace("B=,", "B=, let: {mid: ask},")
    assert problems(write, own) == ["pair.yaml:6:25: mappings[0].posts[1].let.mid: mid is computed and not used"]


def test_services_of_posts_are_services_that_are_posted_to(write: Write) -> None:
    from contribd.build import services

    assert services(loaded(write)) == ("DESK", "PAGES")


def test_a_field_of_a_post_needs_the_settings_that_a_field_of_a_mapping_does(write: Write) -> None:
    pair = PAIR.replace("ROW: row}", 'ROW: {from: "partial(row, 2)", as: rmtes}}')
    assert sorted(text.split(": ", 2)[2].partition(";")[0] for text in problems(write, pair)) == [
        "mapping pair posts ROW as: rmtes",
        "mapping pair posts partial updates: of two that wait only the newer would be posted",
    ]
