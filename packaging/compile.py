"""Compiles every module below a folder that was not compiled yet: ``compile.py FOLDER``.

By content, not by date: the bytes are the same in every build, and a file that somebody mends by hand is compiled anew.
"""

import importlib.util
import py_compile
import sys
from pathlib import Path

for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    if not Path(importlib.util.cache_from_source(str(path))).exists():
        py_compile.compile(str(path), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
