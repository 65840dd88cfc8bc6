"""What would change if one set of rules replaced another: outcomes compared, gathered, and said in words. Pure."""
