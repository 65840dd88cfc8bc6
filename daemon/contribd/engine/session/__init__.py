"""The login session: connection, login and its token, services, endpoints, failover, keepalive. Pure."""
