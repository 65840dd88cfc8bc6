"""Orders to pause and to resume: what is in force, and who has ordered it."""
