"""The control socket: how orders reach the running daemon."""
