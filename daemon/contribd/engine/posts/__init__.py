"""A post to its answer: frames, in-flight posts, outcomes, error attribution, withdrawals. Pure."""
