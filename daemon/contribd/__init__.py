"""contribd: prices from Kafka to LSEG Real-Time as off-stream posts, every answer audited."""

__version__ = "0.1.0"
