"""Records a second of ``contribd plan``, against nothing but mapping the same records by both rules.

The candidate swaps two fields: every record differs, which is the dearest case. The command's figures hold its start.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from tests.bench.measure import Series
from tests.bench.setting import MAPPING, PARTITIONS, Setting, price

from contribd.config.load import load

FIRST_LINES = 10


def measure(setting: Setting, records: int, rounds: int) -> dict[str, Any]:
    """The reference, a plan over lines, and one over Kafka, in turn."""
    values = [price(number, f"P{number % 1000:04d}") for number in range(records)]
    prices, _ = setting.topics()
    setting.preload(prices, [(b"k", value) for value in values])
    configs = [_config(setting, prices, name, swap=swap) for name, swap in (("old", False), ("new", True))]
    lines = setting.directory / "records.jsonl"
    lines.write_bytes(b"\n".join(values) + b"\n")
    offsets = [part for number in range(PARTITIONS) for part in ("--offset", f"{prices}:{number}:0..")]
    runs: dict[str, Callable[[], tuple[float, float]]] = {
        "mapping_twice": lambda: _mapped_twice(configs, values),
        "lines": lambda: _planned(configs, records, "--file", str(lines)),
        "kafka": lambda: _planned(configs, records, *offsets),
    }
    rates, cpu = {name: Series() for name in runs}, {name: Series() for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            seconds, used = run()
            rates[name].add(records / seconds)
            cpu[name].add(used / records * 1e6)
    return {
        "records": records,
        **{f"{name}_records_per_second": each.summary() for name, each in rates.items()},
        **{f"{name}_cpu_us_per_record": each.summary() for name, each in cpu.items()},
    }


def _config(setting: Setting, prices: str, name: str, *, swap: bool) -> Path:
    [spot] = MAPPING["mappings"]
    fields = {**spot["fields"], "BID": {"from": "ask", "round": 5}, "ASK": "bid"} if swap else spot["fields"]
    folder = setting.directory / name
    folder.mkdir()
    (folder / "fx.yaml").write_text(yaml.safe_dump({"mappings": [{**spot, "fields": fields}]}, sort_keys=False))
    config = {
        "kafka": {"bootstrap_servers": setting.kafka.bootstrap, "prices": prices},
        "ads": {"endpoints": ["ws://127.0.0.1:1/WebSocket"], "service": "TRCC"},
        "mappings": ["fx.yaml"],
    }
    (folder / "contribd.yaml").write_text(yaml.safe_dump(config))
    return folder / "contribd.yaml"


def _mapped_twice(configs: list[Path], values: list[bytes]) -> tuple[float, float]:
    """Seconds, and seconds of the processor."""
    old, new = (load(config).mapper.map for config in configs)
    began, used = time.perf_counter(), time.process_time()
    for value in values:
        old(value)
        new(value)
    return time.perf_counter() - began, time.process_time() - used


def _planned(configs: list[Path], records: int, *traffic: str) -> tuple[float, float]:
    """The same of the command as a process of its own."""
    old, new = configs
    command = [sys.executable, "-m", "contribd", "plan", "-c", str(new), "--against", str(old), *traffic]
    began, used = time.perf_counter(), _children()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds, used = time.perf_counter() - began, _children() - used
    first = done.stdout.splitlines()[:FIRST_LINES]
    said = f"BID and ASK are exchanged in fx-spot: in each of {records:,} records that change"
    if done.returncode != 2 or not any(said in line for line in first):
        raise RuntimeError(json.dumps([done.returncode, first, done.stderr]))
    return seconds, used


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
