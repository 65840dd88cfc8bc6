"""The simulated ADS answers as the cases say; the vendor's provider is put through the same ones."""

from tests.conformance.conformance_suite import *  # noqa: F403 - every case
