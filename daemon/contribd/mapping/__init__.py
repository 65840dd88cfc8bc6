"""From an input record to a post: expressions, compiled mappings, value guards, test cases. Pure."""
