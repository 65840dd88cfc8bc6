"""What ``contribd check --connect`` asks of Kafka and of every ADS endpoint; posts and writes nothing."""
