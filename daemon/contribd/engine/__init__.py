"""The heart of contribd: windows, conflation, retries, expiry and offsets. Pure: no clock, thread, socket or log."""
