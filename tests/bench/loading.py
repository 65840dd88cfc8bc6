"""How long mapping files take to load: a hundred mappings of twenty fields, and a table of ten thousand rows.

The reference reads the same files with PyYAML's own loader in C, the table with Python's own reader, and does nothing
with them. Seconds are of CPU: others may be at work on the machine.
"""

import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from tests.bench.measure import Series

from contribd.config.load import load

FILES, MAPPINGS, FIELDS, ROWS = 10, 10, 20, 10_000
CONFIG = """\
kafka: {bootstrap_servers: "kafka1:9092"}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
"""
MAPPING = """\
  - name: m{file}-{number}
    when: type == "t{file}" and kind == "k{number}"
    let: {{row: "instruments[id]"}}
    ric: "{{row.ric}}"
    checks: [bid0 <= ask1, bid0 > 0]
    fields:
"""
VALUES = (
    "bid{n}",
    "{{from: ask{n}, round: 5}}",
    "{{from: (bid{n} + ask{n}) / 2, round: 5, missing: skip}}",
    "{{from: upper(text{n}), as: text}}",
)


def write(folder: Path) -> Path:
    """The configuration with all that it reads; its path."""
    (folder / "mappings").mkdir()
    rows = "".join(f"ID{n},RIC{n}=,USD,0.01,Instrument number {n}\n" for n in range(ROWS))
    (folder / "instruments.csv").write_text(f"id,ric,ccy,tick,name\n{rows}")
    fields = "".join(f"      FIELD_{n}: {VALUES[n % len(VALUES)].format(n=n)}\n" for n in range(FIELDS))
    for file in range(FILES):
        text = "tables: {instruments: {file: ../instruments.csv, key: id}}\nmappings:\n"
        text += "".join(MAPPING.format(file=file, number=number) + fields for number in range(MAPPINGS))
        (folder / "mappings" / f"{file}.yaml").write_text(text)
    config = folder / "contribd.yaml"
    config.write_text(CONFIG)
    return config


def read_alone(config: Path) -> None:
    """The same files, and nothing done with them."""
    for file in (config.parent / "mappings").iterdir():
        yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    with (config.parent / "instruments.csv").open(newline="") as opened:
        list(csv.reader(opened))


def measure(rounds: int) -> dict[str, Any]:
    """Both, in turn; milliseconds of CPU."""
    runs: dict[str, Callable[[Path], object]] = {"read_alone": read_alone, "load": lambda file: load(file, environ={})}
    taken = {name: Series() for name in runs}
    with tempfile.TemporaryDirectory() as folder:
        config = write(Path(folder))
        for _ in range(rounds):
            for name, run in runs.items():
                before = time.process_time()
                run(config)
                taken[name].add((time.process_time() - before) * 1e3)
    return {
        "mappings": FILES * MAPPINGS,
        "fields": FILES * MAPPINGS * FIELDS,
        "table_rows": ROWS,
        **{f"{name}_cpu_milliseconds": each.summary() for name, each in taken.items()},
    }
