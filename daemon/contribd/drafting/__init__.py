"""A first mapping made of sample records: ``contribd init --sample``.

    bytes ─ samples ─▶ records ─ leaves ─▶ paths with their values
                                   │
               words: what a name stands for (bid, ask, last, a size, a time, the instrument)
                                   │
               fields, identity ─▶ draft: a RIC, fields, checks, and what was left out and why
                                   │
    the mapper maps every sample by it ─ writing ─▶ the mapping file, with the tests

Names decide, values must agree: what a name suggests and a value contradicts is left out and told, and what is not sure
is marked as a guess in the file. Nothing here reads a file or a clock.
"""
