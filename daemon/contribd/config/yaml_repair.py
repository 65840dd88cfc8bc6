"""Settings from a configuration with mistakes, so that whatever else is wrong can be told at the same time."""

import copy
from typing import Any

from pydantic import ValidationError

from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.config.validate import without

# The place of every key without a default, and a value that is right. They are never used, only checked against.
_REQUIRED: dict[DataPath, Any] = {
    ("kafka", "bootstrap_servers"): "unknown:9092",
    ("ads", "endpoints"): "ws://unknown:15000",
    ("ads", "service"): "unknown",
}
_REQUIRED_OF_AUTH = {
    "password-grant": {
        "token_url": "https://unknown/token",
        "client_id": "unknown",
        "username": "unknown",
        "password": "unknown",
    },
    "client-credentials": {
        "token_url": "https://unknown/token",
        "client_id": "unknown",
        "client_secret": "unknown",
    },
}


def repaired(data: Any, bad: set[DataPath]) -> Settings:
    """The settings without what stands at ``bad`` places: defaults there, and placeholders where there is none."""
    kept = without(data, bad) if () not in bad and isinstance(data, dict) else {}
    kept = copy.deepcopy(kept)
    had = bool(kept)
    for (section, name), value in _REQUIRED.items():
        if not isinstance(kept.get(section), dict):
            kept[section] = {}
        kept[section].setdefault(name, value)
    auth = kept["ads"].get("auth")
    if isinstance(auth, dict):
        for name, value in _REQUIRED_OF_AUTH.get(str(auth.get("type")), {}).items():
            auth.setdefault(name, value)
        if "type" not in auth:
            del kept["ads"]["auth"]
    context: dict[str, set[int]] = {"accepted": set()}
    try:
        return Settings.model_validate(kept, context=context)
    except ValidationError:
        if not had:
            raise
        return repaired({}, set())
