"""The log is the process's: each test that sets it up leaves it as it was."""

import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from contribd.ops import log
from contribd.ops.noise import Bridge
from contribd.ops.secrets import Secrets


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """A stream to configure the log with; afterwards the log is as it was."""
    before = dict(vars(log._pipeline))
    hooks = sys.excepthook, threading.excepthook, warnings.showwarning
    log._pipeline.secrets = Secrets()
    yield io.StringIO()
    vars(log._pipeline).update(before)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Bridge)]:
        root.removeHandler(handler)
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, warnings.showwarning = hooks
