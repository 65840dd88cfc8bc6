"""An HTTP proxy between this host and the ADS or the token service."""

from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Proxy:
    """Reached by HTTP, asked to CONNECT. ``user`` is empty where it wants none."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    def url(self) -> str:
        """As libraries take it, with user and password in it: not for showing."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{who}{host}:{self.port}"
