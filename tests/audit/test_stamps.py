"""Time stamps of seals by a real authority, and what somebody has done to them since."""

import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.audit.authority import Authority, openssl_verifies, serving
from tests.audit.test_seals import KEY
from tests.cli.test_audit import CONFIG, MAPPING
from tests.ops.conftest import written
from typer.testing import CliRunner

from contribd.audit import kafka_seal
from contribd.audit.notes import sign
from contribd.audit.seals import Seal, Sealed, Trusted, digest_of, read_chain
from contribd.audit.stamp_client import problem_of
from contribd.audit.stamps import StampError, new_request, roots_in, verified
from contribd.cli import app
from contribd.cli.audit_seal import seal_files
from contribd.cli.audit_stamps import Stamped, Stamping, stamp_seals, verify_stamps

__all__ = ["written"]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
TRUST = [Trusted(KEY.public)]


@pytest.fixture(scope="module")
def serving_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with serving(Authority(tmp_path_factory.mktemp("tsa") / "ours")) as authority:
        yield authority


@pytest.fixture
def authority(serving_authority: Authority) -> Iterator[Authority]:
    """As it is, whatever a test does to it."""
    serving_authority.asked.clear()
    yield serving_authority
    serving_authority.answer = serving_authority.reply


@dataclass
class Seals:
    """A folder of them."""

    folder: Path

    def add(self, at: datetime) -> Path:
        """The next one."""
        files = seal_files([self.folder])
        first = 10 * len(files)
        previous = digest_of(files[-1].written) if files else None
        made = Seal("results", "id1", at, previous, {0: Sealed(first, first + 10, 10, b"r" * 32)})
        place = self.folder / f"{at:%Y%m%dT%H%M%SZ}.seal"
        place.write_text(sign(made.text(), [KEY]))
        return place

    def stamp(self, authority: Authority) -> Stamping:
        """As the command does it."""
        return stamp_seals(seal_files([self.folder]), authority.url)

    def verify(self, roots: Path | None, trust: list[Trusted] = TRUST) -> Stamped:
        """As the command does it."""
        files = {file.name: file for file in seal_files([self.folder])}
        seals, findings = read_chain(list(files.values()), TRUST)
        assert findings == []
        return verify_stamps([(files[name], seal) for name, seal in seals], trust, roots)


@pytest.fixture
def seals(tmp_path: Path) -> Seals:
    """Three, the newest of now."""
    (tmp_path / "seals").mkdir()
    made = Seals(tmp_path / "seals")
    for hours in (2, 1, 0):
        made.add(NOW - hours * HOUR)
    return made


def stamps(seals: Seals) -> list[Path]:
    return sorted(seals.folder.glob("*.tsr"))


def test_each_seal_gets_a_stamp_that_holds_here_and_by_openssl(authority: Authority, seals: Seals) -> None:
    assert seals.stamp(authority) == (3, [])
    assert {kind for kind, _ in authority.asked} == {"application/timestamp-query"}
    found = seals.verify(authority.root)
    assert found.findings == []
    assert len(found.times) == 3
    for name, at in found.times.items():
        assert NOW <= at <= datetime.now(UTC)
        assert openssl_verifies(Path(name), Path(name + ".tsr"), authority.root)
    [said] = found.notes
    assert said.startswith("3 seals have a time stamp that holds, of ")
    assert f"s after the time that it names ({min(found.times)})" in said
    assert sorted(seals.folder.iterdir()) == sorted([*map(Path, found.times), *stamps(seals)])


def test_only_those_without_a_stamp_are_asked_for(authority: Authority, seals: Seals) -> None:
    assert seals.stamp(authority) == (3, [])
    stamps(seals)[1].unlink()
    before = [place.read_bytes() for place in stamps(seals)]
    assert seals.stamp(authority) == (1, [])
    assert [place.read_bytes() for place in stamps(seals)][::2] == before
    assert seals.stamp(authority) == (0, [])
    assert len(authority.asked) == 4


def test_a_seal_without_a_stamp_is_counted(authority: Authority, seals: Seals) -> None:
    seals.stamp(authority)
    stamps(seals)[0].unlink()
    found = seals.verify(authority.root)
    assert found.findings == []
    assert found.notes[0] == "1 of 3 seals have no time stamp"
    assert len(found.times) == 2


def test_stamps_that_are_not_verified_are_said_to_be_there(authority: Authority, seals: Seals) -> None:
    assert seals.verify(None) == ([], [], {})
    seals.stamp(authority)
    stamps(seals)[0].unlink()
    said = "2 seals have a time stamp, not verified: --timestamp-trust FILE verifies them"
    assert seals.verify(None) == ([], [said], {})


@pytest.fixture(scope="module")
def stamped(serving_authority: Authority) -> tuple[bytes, bytes, datetime]:
    """A seal, its stamp, and its time."""
    seal = Seal("results", "id1", NOW, None, {0: Sealed(0, 10, 10, b"r" * 32)})
    text = sign(seal.text(), [KEY]).encode()
    _, stamp = serving_authority.reply(new_request(text).as_bytes())
    return text, stamp, seal.at


def test_no_byte_of_a_stamp_can_be_another(
    serving_authority: Authority, stamped: tuple[bytes, bytes, datetime]
) -> None:
    """But for the root's own copy in it, which nobody reads, and some that name algorithms, before the signature."""
    text, stamp, at = stamped
    roots = roots_in(serving_authority.root.read_bytes())
    true_time = verified(stamp, text, at, roots)
    copy = roots[0].public_bytes(Encoding.DER)
    first = stamp.index(copy)
    taken = []
    for place in (*range(first), *range(first + len(copy), len(stamp))):
        altered = bytearray(stamp)
        altered[place] ^= 1
        try:
            assert verified(bytes(altered), text, at, roots) == true_time
            taken.append(place)
        except StampError:
            pass
    assert not {*taken} & {*range(40, first), *range(len(stamp) - 60, len(stamp))}, taken
    assert len(taken) < 20, taken


def exchange(seals: Seals) -> None:
    first, second, _ = stamps(seals)
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def alter_the_end(seals: Seals) -> None:
    place = stamps(seals)[0]
    place.write_bytes(place.read_bytes()[:-1] + b"x")


def cut(seals: Seals) -> None:
    place = stamps(seals)[0]
    place.write_bytes(place.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "count", "said"),
    [
        (exchange, 2, "the time stamp is of something else: its SHA-256 is not that of the seal"),
        (alter_the_end, 1, "not signed by an authority that is trusted, or was altered"),
        (cut, 1, "no time stamp: expected the answer of a time stamping authority"),
    ],
)
def test_what_was_done_to_a_stamp_is_found_and_named(
    authority: Authority, seals: Seals, spoil: Callable[[Seals], None], count: int, said: str
) -> None:
    seals.stamp(authority)
    spoil(seals)
    found = seals.verify(authority.root)
    assert [(str(each.wrong), each.place) for each in found.findings] == [
        ("seal", str(place)) for place in stamps(seals)[:count]
    ]
    assert all(said in each.text for each in found.findings)
    assert len(found.times) == 3 - count


def test_an_authority_that_is_not_trusted_stamps_in_vain(authority: Authority, seals: Seals, tmp_path: Path) -> None:
    seals.stamp(authority)
    stranger = Authority(tmp_path / "stranger")
    found = seals.verify(stranger.root)
    assert [each.place for each in found.findings] == [str(place) for place in stamps(seals)]
    assert found.times == {}


def test_no_answer_is_said_and_the_next_run_gets_the_stamps(authority: Authority, seals: Seals) -> None:
    """One try, not one for each seal."""
    authority.answer = lambda _query: (500, b"")
    stamped, problems = seals.stamp(authority)
    assert (stamped, len(authority.asked)) == (0, 1)
    assert problems == [
        f"{authority.url} answers with HTTP 500 Internal Server Error",
        "3 seals have no time stamp; the next run with --timestamp asks again",
    ]
    assert stamps(seals) == []
    authority.answer = authority.reply
    assert seals.stamp(authority) == (3, [])


def test_an_authority_that_is_away_is_said(seals: Seals) -> None:
    stamped, problems = stamp_seals(seal_files([seals.folder]), "http://127.0.0.1:1/tsa")
    assert stamped == 0
    assert problems[0].startswith("http://127.0.0.1:1/tsa does not answer: ")


def test_a_refusal_is_said_with_its_reason(authority: Authority, seals: Seals) -> None:
    config = authority.folder / "tsa.conf"
    before = config.read_text()
    config.write_text(before.replace("digests = sha256", "digests = sha512"))
    try:
        _, [problem, _] = seals.stamp(authority)
    finally:
        config.write_text(before)
    assert problem.startswith("the time stamping authority refuses: rejection, ")
    assert len(authority.asked) == 1


def test_an_answer_to_another_question_is_not_kept(authority: Authority, seals: Seals) -> None:
    files = seal_files([seals.folder])[-1:]
    authority.answer = lambda _query: authority.reply(new_request(files[0].written).as_bytes())
    _, [problem, _] = stamp_seals(files, authority.url)
    assert problem == f"{files[0].name}: the answer is to another question: its nonce is another one"
    authority.answer = lambda _query: (200, b"<html>")
    _, [problem, _] = stamp_seals(files, authority.url)
    assert "no time stamp: expected the answer" in problem
    assert stamps(seals) == []


def test_no_redirection_is_followed(authority: Authority, seals: Seals) -> None:
    authority.answer = lambda _query: (302, b"file:///etc/hostname")
    _, [problem, _] = seals.stamp(authority)
    assert problem == f"{authority.url} answers with HTTP 302 Found"


def test_a_stamp_of_before_the_seal_is_not_kept_and_found(authority: Authority, seals: Seals) -> None:
    """A clock that is wrong, on one side or the other; the other seals get theirs."""
    ahead = seals.add(NOW + HOUR)
    stamped, [problem, _] = seals.stamp(authority)
    assert stamped == 3
    assert problem.startswith(f"{ahead}: the time stamp is of ")
    assert ", before the time that the seal names, " in problem
    _, answer = authority.reply(new_request(ahead.read_bytes()).as_bytes())
    Path(f"{ahead}.tsr").write_bytes(answer)
    [finding] = seals.verify(authority.root).findings
    assert finding.place == f"{ahead}.tsr"
    assert "before the time that the seal names" in finding.text


def test_a_stamp_of_after_the_end_of_a_keys_trust_is_said(authority: Authority, seals: Seals) -> None:
    """Somebody who has found a key signs what names a day of before."""
    seals.stamp(authority)
    found = seals.verify(authority.root, [Trusted(KEY.public, until=NOW - HOUR / 2)])
    late = [note for note in found.notes if "when its key was not trusted any more" in note]
    assert len(late) == 3
    assert found.findings == []


@pytest.mark.parametrize(
    "url", ["file:///etc/hosts", "tsa.example.com", "ftp://a/b", "http://", "http://a:b/", "http://u:p@a/"]
)
def test_what_is_no_address_is_wrong_usage(url: str) -> None:
    assert problem_of(url) is not None
    assert problem_of("https://tsa.example.com/tsr") is None


def test_a_file_without_certificates_is_told(tmp_path: Path, seals: Seals) -> None:
    (tmp_path / "roots").write_text("none")
    with pytest.raises(OSError, match="roots: expected certificates in PEM form"):
        seals.verify(tmp_path / "roots")


class NoTopic:
    """In place of the results topic."""

    def seal(self, _before: Seal | None, previous: str | None, _tick: object) -> Seal:
        """Of nothing."""
        return Seal("results", "id1", datetime.now(UTC), previous, {0: Sealed(0, 0, 0, b"r" * 32)})


def test_the_command_seals_all_the_same_where_nobody_answers(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: io.StringIO
) -> None:
    assert written is not None  # the log is left as it was
    monkeypatch.setattr(kafka_seal, "open_sealed_topic", lambda _settings: nullcontext(NoTopic()))
    (tmp_path / "fx.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(CONFIG)
    key, out = tmp_path / "key", tmp_path / "seals"
    run = CliRunner().invoke
    assert run(app, ["audit", "key", "k", "--out", str(key)]).exit_code == 0
    arguments = ["audit", "seal", "-c", str(tmp_path / "contribd.yaml"), "--key", str(key), "--out", str(out)]
    assert run(app, [*arguments, "--timestamp", "file:///x"]).exit_code == 2
    authority.answer = lambda _query: (503, b"")
    done = run(app, [*arguments, "--timestamp", authority.url])
    assert done.exit_code == 1
    assert "0 records in 1 partitions sealed" in done.stdout
    assert "answers with HTTP 503" in done.stderr
    [made] = out.glob("*.seal")
    made.rename(made.with_name("0.seal"))  # a second later
    authority.answer = authority.reply
    done = run(app, [*arguments, "--timestamp", authority.url])
    assert done.exit_code == 0, done.output
    assert f"2 seals have got a time stamp from {authority.url}" in done.stdout
    assert len(list(out.glob("*.tsr"))) == 2
