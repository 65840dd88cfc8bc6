"""The results topic, read: for ``contribd results``."""
