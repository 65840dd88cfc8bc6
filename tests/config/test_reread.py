"""Credentials of Kafka's client are read anew."""

from pathlib import Path

from contribd.config.document import parse_document
from contribd.config.interpolate import Interpolation
from contribd.config.reread import Reread, reread_of

TEXT = """
kafka:
  client:
    sasl_plain_username: ${USER_NAME}
    sasl_plain_password: "a${file:%s}b"
    ssl_password: ${credential:pass}
ads: {user: "${file:%s}"}
"""


def reread(folder: Path) -> Reread:
    environ = {"USER_NAME": "desk", "CREDENTIALS_DIRECTORY": str(folder)}
    secret = folder / "secret"
    document = parse_document((TEXT % (secret, secret)).encode(), Path("c.yaml"), Interpolation(environ))
    assert document.root is not None
    assert not document.problems
    return reread_of(document.root, environ)


def test_what_stands_in_files_and_credentials_is_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("first\n")
    (tmp_path / "pass").write_text("phrase")
    read = reread(tmp_path)
    assert read.values() == ({"sasl_plain_password": "afirstb", "ssl_password": "phrase"}, {"first", "phrase"})
    (tmp_path / "secret").write_text("second")
    assert "asecondb" in read.values()[0].values()


def test_what_cannot_be_read_just_now_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("first")
    (tmp_path / "pass").write_text("phrase")
    read = reread(tmp_path)
    (tmp_path / "pass").unlink()
    assert read.values() == ({"sasl_plain_password": "afirstb"}, {"first"})
