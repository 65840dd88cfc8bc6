"""Verification of the results topic: complete, single, true to its input and to its rules."""
