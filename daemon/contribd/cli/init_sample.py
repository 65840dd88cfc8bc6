"""From sample records to the files of ``contribd init``, tried before anything is written."""

import sys
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory

import msgspec

from contribd.cli.common import diagnostics
from contribd.config.errors import ConfigError
from contribd.config.load import Inspected, inspect
from contribd.drafting.draft import Draft, Wanted, draft
from contribd.drafting.leaves import leaves_of
from contribd.drafting.samples import Sample, SampleError, of_input, read_samples
from contribd.drafting.writing import mapping_text
from contribd.mapping.cases import run_cases
from contribd.mapping.inputs import Input, as_line
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Outcome, Rejected

CONFIG = "contribd.yaml"
MAPPING = "mappings/prices.yaml"
RECORDS = "records.jsonl"
MOST_TESTS = 10
MOST_BYTES = 16 * 1024 * 1024
"""Of a file of samples: far more than a mapping is made of."""
NEWEST = 100
"""Records that are taken from Kafka."""
STDIN = Path("-")
_IGNORING = "mappings: [{name: none, ignore: true}]\n"


def samples_of(file: Path | None, config: str) -> list[Sample]:
    """Those of a file, or the newest in Kafka, as this configuration reaches it. Raises SampleError."""
    if file is None:
        return _from_kafka(config)
    name = "standard input" if file == STDIN else str(file)
    try:
        content = sys.stdin.buffer.read(MOST_BYTES + 1) if file == STDIN else _read(file)
    except OSError as error:
        raise SampleError(f"{name} cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise SampleError(f"{name} has more than {MOST_BYTES} bytes: a few records of each sort are enough")
    return read_samples(content, name)


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)


def _from_kafka(config: str) -> list[Sample]:
    # Heavy: the Kafka client takes longer to load than everything else here takes to run.
    from contribd import build
    from contribd.ops import log
    from contribd.streams.span import Span
    from contribd.streams.traffic import TrafficError, open_traffic

    with TemporaryDirectory() as name:
        _put(Path(name), {CONFIG: config, MAPPING: _IGNORING})
        loaded = inspect(Path(name) / CONFIG).loaded()
    log.configure("error", "console", secrets=sorted(loaded.secrets))
    try:
        with open_traffic(build.kafka(loaded, SystemRandom()), Span(newest=NEWEST)) as traffic:
            newest = deque(traffic.records, NEWEST)
    except TrafficError as error:
        raise SampleError(str(error)) from None
    if not any(each.value for each in newest):
        raise SampleError(f"there is no record in {', '.join(loaded.settings.kafka.prices)}; give some with --sample")
    return _usable(newest)


def _usable(inputs: Collection[Input]) -> list[Sample]:
    """Those that are samples; stderr says how many are none. Raises SampleError where all are none."""
    samples, refused = [], []
    for each in inputs:
        try:
            samples.extend([of_input(each)] if each.value else [])
        except SampleError as error:
            refused.append(error)
    if refused and not samples:
        raise refused[0]
    if refused:
        is_none = "is no JSON object and is" if len(refused) == 1 else "are no JSON object and are"
        first = "it" if len(refused) == 1 else "the first"
        diagnostics().print(f"{len(refused)} of {len(inputs)} records {is_none} left out; {first} is {refused[0]}")
    return samples


def made_of(samples: Sequence[Sample], wanted: Wanted, config: str) -> dict[str, str]:
    """The configuration, the mapping with its tests and the samples as JSON lines, by their paths.

    Raises SampleError where no mapping can be made of them, ConfigError where what was wanted of fields is wrong.
    """
    made = draft(samples, wanted)
    files = _files(made, samples, (), config)
    # The file without tests has everything but what the tests say: the mapper itself tells them what to expect.
    mapper = Mapper(_tried(files).mappings.compiled)
    outcomes = [mapper.map(each.given.value, each.given.surroundings) for each in samples]
    if not any(isinstance(outcome, Mapped) for outcome in outcomes):
        raise SampleError(f"no sample would be posted: {'; '.join(_reasons(outcomes)[:3])}")
    files = _files(made, samples, tuple(_chosen(samples, outcomes)), config)
    tried = _tried(files)
    failed = [each for each in run_cases([case.test for case in tried.mappings.cases], mapper) if not each.passed]
    if failed:
        raise RuntimeError(f"{failed[0].name} of the mapping that was made fails: {failed[0].differences}")
    return files


def _reasons(outcomes: Sequence[Outcome]) -> list[str]:
    """Why nothing is posted, each once: of a text with a hint behind it and the same without, the first."""
    texts = dict.fromkeys(outcome.text for outcome in outcomes if isinstance(outcome, Rejected))
    return [text for text in texts if not any(other.startswith(f"{text};") for other in texts)]


def _files(
    made: Draft, samples: Sequence[Sample], tested: Sequence[tuple[int, Sample, Outcome]], config: str
) -> dict[str, str]:
    records = "".join(f"{_line(each)}\n" for each in samples)
    return {CONFIG: config, MAPPING: mapping_text(made, samples, tested), RECORDS: records}


def _line(sample: Sample) -> str:
    """A sample on one line: by itself, or with what was said to surround it."""
    given, around = sample.given, sample.given.surroundings
    said = around.key is not None or around.timestamp is not None or bool(around.headers)
    if said or all(key.startswith("@") for key in sample.record) or (given.value or b"")[:1] == b"\0":
        return as_line(given).decode()
    return msgspec.json.format((given.value or b"").decode(), indent=-1)


def _chosen(samples: Sequence[Sample], outcomes: Sequence[Outcome]) -> Iterator[tuple[int, Sample, Outcome]]:
    """The first sample of each shape and outcome, with its number from 1."""
    seen: set[object] = set()
    for number, (sample, outcome) in enumerate(zip(samples, outcomes, strict=True), 1):
        shape = (
            frozenset((leaf.path, leaf.kinds) for leaf in leaves_of([sample.record])),
            outcome.code if isinstance(outcome, Rejected) else frozenset(getattr(outcome, "fields", None) or ()),
        )
        if shape not in seen and len(seen) < MOST_TESTS:
            seen.add(shape)
            yield number, sample, outcome


def _tried(files: dict[str, str]) -> Inspected:
    """Read as ``contribd check --no-env`` reads them. Raises ConfigError, its files named as they will be."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _put(folder, files)
        inspected = inspect(folder / CONFIG, lenient=True)
    if inspected.problems:
        raise ConfigError([replace(each, file=each.file.relative_to(folder)) for each in inspected.problems])
    return inspected


def _put(folder: Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
