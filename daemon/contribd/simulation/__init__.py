"""Simulated ADS, price engine and demo. Nothing of the daemon imports it."""
