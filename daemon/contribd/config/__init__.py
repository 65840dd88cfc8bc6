"""Configuration and mapping files: YAML with positions, interpolation, pydantic models."""
