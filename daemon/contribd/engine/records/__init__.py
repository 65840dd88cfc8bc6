"""A record to its result: offsets, instruments, conflation, expiry, the outbox and the encoded result. Pure."""
