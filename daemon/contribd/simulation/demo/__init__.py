"""What ``contribd demo`` shows: broker, prices, and a count of the results."""
