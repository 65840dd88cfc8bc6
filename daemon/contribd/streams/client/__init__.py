"""The one door to kafka-python: nothing else imports its private names."""
