"""Simulated ADS, pricing engine and demo. Nothing of the daemon imports it."""
