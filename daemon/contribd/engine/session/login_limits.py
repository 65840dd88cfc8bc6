"""What the login's answers say of its session: the largest message, the longest silence, whether posts are taken."""

from contribd.engine.limits import DEFAULT_MAX_MESSAGE_SIZE, DEFAULT_PING_TIMEOUT
from contribd.omm.answers import LoginAnswer


class LoginLimits:
    """Those in force: the defaults where no answer has named one."""

    def __init__(self) -> None:
        self.max_message_size = DEFAULT_MAX_MESSAGE_SIZE
        """Bytes (MaxMsgSize)."""
        self.ping_timeout = DEFAULT_PING_TIMEOUT
        """Seconds (PingTimeout)."""
        self.takes_posts = True
        """SupportOMMPost."""

    def begin(self, answer: LoginAnswer) -> None:
        """A login was taken: what was said before holds no more."""
        self.max_message_size = answer.max_message_size or DEFAULT_MAX_MESSAGE_SIZE
        self.ping_timeout = answer.ping_timeout or DEFAULT_PING_TIMEOUT
        self.takes_posts = answer.supports_post is not False

    def follow(self, answer: LoginAnswer) -> dict[str, object]:
        """Takes what an answer says anew in an open session; what has changed, by name."""
        said = {
            "max_message_size": answer.max_message_size,
            "ping_timeout": answer.ping_timeout,
            "takes_posts": answer.supports_post,
        }
        changed: dict[str, object] = {
            name: value for name, value in said.items() if value is not None and value != getattr(self, name)
        }
        for name, value in changed.items():
            setattr(self, name, value)
        return changed
