"""A fingerprint of the configuration and mappings in force, from which no secret can be guessed back."""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

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


def digest(settings: Settings, mappings: list[Any], secrets: Iterable[str] = (), dictionary: str | None = None) -> str:
    """SHA-256, in hexadecimal, of the settings and of each mapping in order.

    Comments, layout, file names, test cases, ``instance`` and ``control`` have no part in it: two hosts that contribute
    by the same rules have the same digest. Of a field dictionary it is the content that counts, by its own digest.
    """
    shown = public_settings(settings, secrets)
    del shown["instance"], shown["mappings"], shown["control"]
    if dictionary is not None:
        shown["dictionary"] = dictionary
    content = json.dumps([shown, mappings], default=_plain, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(value: object) -> str:
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
