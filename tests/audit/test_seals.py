"""Seals: signed, chained, and laid beside a topic that somebody has spoiled."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contribd.audit.claim import RawResult
from contribd.audit.merkle import Tree, leaf_of
from contribd.audit.notes import NoteError, PrivateKey, new_key, parse_note, parse_private, parse_public, sign
from contribd.audit.seals import (
    Seal,
    Sealed,
    SealFile,
    Trusted,
    compared,
    digest_of,
    parse_seal,
    parse_trust,
    read_chain,
)

AT = datetime(2026, 11, 29, 23, tzinfo=UTC)
KEY, NEWER = (PrivateKey(f"audit.example.com/{number}", bytes([number] * 32)) for number in (1, 2))
STRANGER = PrivateKey("stranger", bytes([3] * 32))
TRUST = [Trusted(KEY.public, until=AT + timedelta(days=1)), Trusted(NEWER.public, since=AT + timedelta(days=1))]


def log_of(count: int) -> list[RawResult]:
    """Records of one partition."""
    return [
        RawResult(0, offset, b"R%d" % offset, b'{"n":%d}' % offset, (("status", b"ACK"),)) for offset in range(count)
    ]


def root_of(log: list[RawResult], first: int, end: int) -> tuple[int, bytes]:
    """Number and root of the records there."""
    tree = Tree()
    for record in log:
        if first <= record.offset < end:
            tree.append(leaf_of(record))
    return tree.size, tree.root()


@dataclass
class Chain:
    """Seals of a log, each as it is written."""

    log: list[RawResult]
    files: list[SealFile]

    def seal(self, end: int, at: datetime, *keys: PrivateKey) -> None:
        """The next one."""
        first = 0 if not self.files else parse_seal(parse_note(self.files[-1].written.decode()).text).partitions[0].end
        previous = digest_of(self.files[-1].written) if self.files else None
        seal = Seal("results", "id1", at, previous, {0: Sealed(first, end, *root_of(self.log, first, end))})
        self.files.append(SealFile(f"{len(self.files)}.seal", sign(seal.text(), keys).encode()))

    def verify(self, log: list[RawResult], begins: int = 0) -> tuple[list[str], list[str]]:
        """Findings and notes, beside another log."""
        seals, findings = read_chain(self.files, TRUST)
        end = log[-1].offset + 1 if log else 0
        said, notes = [str(finding) for finding in findings], []
        for name, seal in seals:
            sealed = seal.partitions[0]
            finding, note = compared(name, seal, 0, root_of(log, sealed.first, sealed.end), (begins, end))
            said += [] if finding is None else [str(finding)]
            notes += [] if note is None else [note]
        return said, notes


@pytest.fixture
def chain() -> Chain:
    made = Chain(log_of(100), [])
    made.seal(40, AT, KEY)
    made.seal(80, AT + timedelta(days=1), KEY, NEWER)
    made.seal(100, AT + timedelta(days=2), NEWER)
    return made


def test_nothing_is_found_where_nothing_was_done(chain: Chain) -> None:
    assert chain.verify(log_of(100)) == ([], [])
    assert chain.verify(log_of(140)) == ([], [])


def change(log: list[RawResult]) -> None:
    log[50] = log[50]._replace(value=b"{}")


def remove(log: list[RawResult]) -> None:
    del log[50]


def exchange(log: list[RawResult]) -> None:
    log[50], log[51] = log[51]._replace(offset=50), log[50]._replace(offset=51)


def change_a_header(log: list[RawResult]) -> None:
    log[50] = log[50]._replace(headers=(("status", b"NAK"),))


@pytest.mark.parametrize("spoil", [change, remove, exchange, change_a_header])
def test_what_was_done_below_a_seal_is_found_there_and_there_alone(
    chain: Chain, spoil: Callable[[list[RawResult]], None]
) -> None:
    log = log_of(100)
    spoil(log)
    [finding], _ = chain.verify(log)
    assert finding.startswith("results:0:40..79: seal: the records are not those that were sealed")
    assert finding.endswith("[1.seal]")


def test_a_topic_that_was_cut_off_at_its_end_is_found(chain: Chain) -> None:
    [finding], _ = chain.verify(log_of(90))
    assert finding.startswith("results:0:80..99: seal: it ends at 90, and was sealed up to 100: its end was cut off")


def test_what_retention_took_is_a_note(chain: Chain) -> None:
    findings, notes = chain.verify(log_of(100)[60:], begins=60)
    assert findings == []
    assert [note.split(":", 3)[2] for note in notes] == ["0..39", "40..79"]


def test_a_seal_signed_anew_with_a_newer_key_is_found(chain: Chain) -> None:
    """Somebody who has the newer key exchanges an old result and its seal."""
    log = log_of(100)
    log[10] = log[10]._replace(value=b"{}")
    seal = parse_seal(parse_note(chain.files[0].written.decode()).text)
    forged = seal._replace(partitions={0: Sealed(0, 40, *root_of(log, 0, 40))})
    chain.files[0] = SealFile("0.seal", sign(forged.text(), [NEWER]).encode())
    findings, _ = chain.verify(log)
    assert any(
        "0.seal: seal: signed by audit.example.com/2, which is not trusted at the time" in each for each in findings
    )


def test_a_seal_signed_anew_with_its_own_key_breaks_the_chain(chain: Chain) -> None:
    log = log_of(100)
    log[10] = log[10]._replace(value=b"{}")
    seal = parse_seal(parse_note(chain.files[0].written.decode()).text)
    forged = seal._replace(partitions={0: Sealed(0, 40, *root_of(log, 0, 40))})
    chain.files[0] = SealFile("0.seal", sign(forged.text(), [KEY]).encode())
    [finding], _ = chain.verify(log)
    assert finding.startswith("1.seal: seal: it follows a seal that is not here, or not as it was then: 0.seal")


def test_a_seal_that_is_taken_away_is_missed(chain: Chain) -> None:
    del chain.files[1]
    findings, _ = chain.verify(log_of(100))
    assert any("it follows a seal that is not here" in each for each in findings)
    assert any("partition 0 was sealed up to 40 and goes on at 80" in each for each in findings)


def test_a_stranger_signs_in_vain(chain: Chain) -> None:
    seal = parse_seal(parse_note(chain.files[2].written.decode()).text)
    chain.files[2] = SealFile("2.seal", sign(seal.text(), [STRANGER]).encode())
    [finding], _ = chain.verify(log_of(100))
    assert finding == "2.seal: seal: signed by stranger, and none of these is a trusted key"


@pytest.mark.parametrize("at", range(0, 270, 7))
def test_no_byte_of_a_seal_can_be_another(chain: Chain, at: int) -> None:
    written = bytearray(chain.files[0].written)
    written[at] ^= 1
    chain.files[0] = SealFile("0.seal", bytes(written))
    assert chain.verify(log_of(100))[0]


def test_a_seal_and_keys_read_back() -> None:
    seal = Seal("results", None, AT, None, {0: Sealed(0, 2, 2, b"r" * 32), 3: Sealed(5, 5, 0, b"s" * 32)})
    assert parse_seal(seal.text()) == seal
    assert parse_private(KEY.line()) == KEY
    assert parse_public(str(KEY.public)) == KEY.public


def test_a_key_and_a_note_of_another_tool_are_taken() -> None:
    """The example of the Go package golang.org/x/mod/sumdb/note."""
    public = parse_public("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert parse_note(text).signed_by([public]) == [public]
    with pytest.raises(NoteError, match="altered"):
        parse_note(text.replace("answer", "question")).signed_by([public])


def test_trust_is_read_with_its_bounds() -> None:
    text = f"# ours\n\n{KEY.public} until 2026-11-30T00:00Z\n{NEWER.public} since 2026-11-29\n"
    assert parse_trust(text) == [
        Trusted(KEY.public, None, datetime(2026, 11, 30, tzinfo=UTC)),
        Trusted(NEWER.public, datetime(2026, 11, 29, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("key", "line 1: 'key' is no public key"),
        (f"{KEY.public} after 2026", "line 1: expected a public key"),
        (f"{KEY.public} since", "line 1: expected a public key"),
        (f"{KEY.public} since yesterday", "line 1: 'yesterday' is no time"),
        (f"\n{KEY.public.name}+00000000+{base64.b64encode(bytes([1]) + KEY.public.key).decode()}", "line 2: .*damaged"),
    ],
)
def test_what_is_no_trust_is_told_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(NoteError, match=problem):
        parse_trust(text)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a+b", KEY.line()[:-9], str(KEY.public)])
def test_what_is_no_private_key_is_told_without_it(text: str) -> None:
    with pytest.raises(NoteError) as raised:
        parse_private(text)
    assert text == "" or text not in str(raised.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_what_cannot_name_a_key_is_refused(name: str) -> None:
    with pytest.raises(NoteError, match="cannot name a key"):
        new_key(name)


def test_the_examples_of_the_documentation_are_a_seal_and_keys_that_verify_it() -> None:
    page = (Path(__file__).parents[2] / "docs/audit.md").read_text()
    seal, trusted, *_ = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    keys = parse_trust(trusted)
    [(_, read)], findings = read_chain([SealFile("example", seal.encode())], keys)
    assert findings == []
    assert (read.topic, read.partitions[0].records) == ("contribution-results", 1790)
