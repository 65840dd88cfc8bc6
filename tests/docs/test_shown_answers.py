"""What README.md shows of the demo, and operations.md, orders.md and reload.md of a daemon's answers, is said so."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from tests.docs.blocks import DOCS, ROOT, blocks_of
from tests.order_group import EUR, Instance, Topic, together

from contribd.cli.demo import PlainView, print_summary
from contribd.config.load import load
from contribd.engine.posts.ordered import Tally
from contribd.engine.records.offsets import Partition
from contribd.engine.records.standing import OrderKind
from contribd.quoting.report import report
from contribd.reloads import Read
from contribd.rules_reader import RulesReader
from contribd.simulation.demo import show
from contribd.simulation.demo.show_summary import Audit, ShowSummary
from contribd.streams.group import blocked

CONFIG = """\
kafka: {bootstrap_servers: "kafka1:9092"}
ads: {endpoints: ["ws://%s:15000/WebSocket"], service: TRCC}
"""
DIGEST = re.compile(r"\b[0-9a-f]{12}\b|5ad1…|(?<=of )…")


def shown(page: str, language: str) -> list[list[str]]:
    """The lines of each such block."""
    return [block.text.splitlines() for block in blocks_of(DOCS / page) if block.language == language]


def test_the_demo() -> None:
    """Each line is printed so by what prints it, with the numbers that are shown."""
    [block] = [block for block in blocks_of(ROOT / "README.md") if block.language == "text"]
    events, printed = Path(show.__file__).read_text(), io.StringIO()
    console = Console(file=printed, width=200)
    for line in block.text.splitlines():
        if found := re.fullmatch(r" *[\d.]+ s  (.*)", line):
            assert f'"{found[1]}"' in events
        elif found := re.fullmatch(r" +(\d+) in, (\d+) out  (.*?)  \[(\w+)\]", line):
            counts = {name: int(count) for name, count in re.findall(r"([A-Z]+) (\d+)", found[3])}
            PlainView(console).progress(show.ShowProgress(1.0, int(found[1]), int(found[2]), counts, found[4]))
            assert line.strip() in printed.getvalue()
    [logins, lost, records, results] = map(int, re.findall(r"\d+", "".join(block.text.splitlines()[-2:])))
    audit = Audit(records, results, missing=0, repeated=0, foreign=0)
    print_summary(ShowSummary(1.0, {}, [], {}, None, None, lost, logins, 0, audit, 0), console)
    assert printed.getvalue().splitlines()[-2:] == block.text.splitlines()[-2:]


def test_a_skip() -> None:
    [[command, said]] = shown("operations.md", "console")
    assert command.startswith("$ contribd skip prices:3:1812 ")
    assert said == f"{blocked._place(Partition('prices', 3), range(1812, 1831))} is skipped"


def test_a_pause_in_a_group() -> None:
    topic = Topic()
    here, *others = [Instance(topic, f"pricing-host-{number}") for number in (1, 2, 3)]
    together([here, *others])
    here.pause()
    for _ in range(2):
        together([here, *others])
    answer = here.answer
    assert answer is not None
    assert answer.text.splitlines()[:1] == shown("orders.md", "text")[0]


def test_a_withdrawal() -> None:
    here = Tally(accepted=20, refused=1, over=True, since=1_795_990_443_120_000)
    here.samples = ["EURX=: NAK SymbolUnknown: F44: Unable to find item on post update."]
    other = Tally(accepted=21, overtaken=3, over=True)
    told = report(OrderKind.WITHDRAW, EUR, here, {"pricing-host-2": other}, [], None)
    assert told.text.splitlines() == shown("orders.md", "text")[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with 12 mappings and 30 tests."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "contribd.yaml").write_text(CONFIG % "ads1")
    mappings = [
        f'  - name: fx-{number}\n    ric: "{{pair}}{number}="\n    fields: {{BID: bid}}\n    when: kind == {number}'
        for number in range(12)
    ]
    tests = [
        f"  - record: {{kind: {kind}, pair: EUR, bid: 1}}\n    post: {{ric: EUR{kind}=, fields: {{BID: 1}}}}"
        for kind in [number % 12 for number in range(30)]
    ]
    (tmp_path / "mappings" / "fx.yaml").write_text("\n".join(["mappings:", *mappings, "tests:", *tests, ""]))
    return tmp_path


def test_reloads(folder: Path) -> None:
    done, refused, waits = shown("reload.md", "console")
    answers: list[Read] = []
    reader = RulesReader(load(folder / "contribd.yaml", environ={}), 3.0, answers.append)
    file = folder / "mappings" / "fx.yaml"
    whole = file.read_text()

    file.write_text(whole.replace("bid: 1", "bid: 2").replace("BID: 1", "BID: 2").replace("BID: bid", "BID: bid + 0"))
    reader._run(1, None)
    file.write_text(whole.replace("BID: bid", 'BID: "rund(bid, 2)"', 1))
    reader._run(2, None)
    file.write_text(whole.replace("BID: bid", "BID: bid * 1"))
    (folder / "contribd.yaml").write_text(CONFIG % "ads2")
    reader._run(3, None)

    assert [DIGEST.sub("D", line) for line in done] == ["$ contribd reload", worded(answers[0].text), "$ echo $?", "0"]
    problems = [line.replace(str(folder), "/etc/contribd") for line in answers[1].problems]
    said = [*problems[:1], worded(answers[1].text)]
    assert [DIGEST.sub("D", line) for line in refused] == ["$ contribd reload", *said, "$ echo $?", "1"]
    assert [DIGEST.sub("D", line) for line in waits] == ["$ contribd reload", worded(answers[2].text)]
    assert [answer.done for answer in answers] == [True, False, True]


def worded(text: str) -> str:
    """Without digests."""
    return DIGEST.sub("D", text)
