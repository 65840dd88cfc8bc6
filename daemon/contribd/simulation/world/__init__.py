"""Seeded simulation: the real engine against a simulated Kafka, ADS, network and clock, judged by an oracle."""
