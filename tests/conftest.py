"""What every test needs before anything else is imported."""

import importlib
import warnings

with warnings.catch_warnings():
    # kafka-python reads its schemas by importlib.resources.read_text, which Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("kafka")

# The client's own mends, for the tests' bare clients too.
importlib.import_module("contribd.streams.client.workarounds")
