"""Kafka: the source (consumer) and the sink (transactional producer)."""
