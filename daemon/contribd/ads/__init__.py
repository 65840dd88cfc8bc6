"""The ADS connection: sockets, TLS and WebSocket framing around the engine's session."""
