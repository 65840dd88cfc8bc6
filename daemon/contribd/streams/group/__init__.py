"""This process in its consumer group: partitions, lease, fencing, start offsets."""
