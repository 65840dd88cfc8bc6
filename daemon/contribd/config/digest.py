"""A fingerprint of the configuration and mappings in force, from which no secret can be guessed back."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr

from contribd.config.kafka_client import SECRETS
from contribd.config.model import Settings

MASK = "**********"


def public_settings(settings: Settings, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The settings as plain data fit to be shown: secrets, and what was read from secret files, are masked."""
    shown: dict[str, Any] = settings.model_dump(mode="json", exclude={"kafka": {"client"}})
    shown["kafka"]["client"] = {
        name: MASK if name in SECRETS and value is not None else value for name, value in settings.kafka.client.items()
    }
    longest_first = sorted(secrets, key=len, reverse=True)
    masked: dict[str, Any] = _masked(shown, longest_first)
    return masked


def secret_values(settings: Settings) -> set[str]:
    """Every secret in force, for a log to mask wherever it turns up."""
    values = {str(value) for name, value in settings.kafka.client.items() if name in SECRETS and value is not None}
    sections = [settings.ads.auth, settings.ads.tls, *([settings.ads.proxy] if settings.ads.proxy is not None else [])]
    given = (value for section in sections for _, value in section)
    return values | {value.get_secret_value() for value in given if isinstance(value, SecretStr)}


NO_RULES: Final = ("instance", "mappings", "answers", "control", "results", "rules_topic", "events_topic")
"""Settings without a part in it."""


def digest_of(shown: Mapping[str, Any], mappings: list[Any], dictionary: str | None = None) -> str:
    """SHA-256, in hexadecimal, of the settings as they are shown, and of each mapping in order.

    Comments, layout, file names, test cases, and the settings that ``NO_RULES`` names have no part in it: two hosts
    that contribute by the same rules have the same digest. Of a field dictionary it is the content that counts, by its
    own digest.
    """
    shown = {name: value for name, value in shown.items() if name not in NO_RULES}
    if dictionary is not None:
        shown["dictionary"] = dictionary
    content = json.dumps([shown, mappings], default=plain, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def plain(value: object) -> str:
    """What JSON has no form for."""
    # A Decimal by its text: 1.50 and 1.5 are the same price, but not the same mapping file.
    return f"decimal {value}" if isinstance(value, Decimal) else str(value)


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {name: _masked(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value
