"""The questions of ``contribd init`` on a terminal."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from contribd.cli.init_settings import AUTHS, Told, configured, problems_of


class Ask(Protocol):
    """Asks one question. ``default``: what an empty answer means; without one, an answer is needed."""

    def __call__(self, question: str, default: str | None) -> str: ...


class Question(NamedTuple):
    """One question, about one field of ``Told``."""

    name: str
    text: str
    default: str | None
    option: str


_FIRST: Final = (
    Question("kafka", "Kafka brokers, host:port, more of them after commas", "localhost:9092", "--kafka"),
    Question("prices", "Topic of the prices, more of them after commas", "prices", "--prices"),
    Question("results", "Topic for the results", "contribution-results", "--results"),
    Question("group", "Consumer group", "contribd", "--group"),
    Question(
        "ads", "ADS endpoints, ws:// or wss://, in order, after commas", "ws://localhost:15000/WebSocket", "--ads"
    ),
    Question("service", "Service to contribute to, as the ADS calls it", None, "--service"),
    Question("user", "User of the login", "contribd", "--user"),
    Question("auth", f"How to log in: {', '.join(AUTHS)}", "user", "--auth"),
)
_TOKENS: Final = (
    Question("token_url", "Address of the token service, https://", None, "--token-url"),
    Question("client_id", "Client id (with password-grant: the application key)", None, "--client-id"),
)
_USERNAME: Final = Question("username", "Machine account", None, "--username")


def asked(ask: Ask, starter: str, tell: Callable[[str], None]) -> Told:
    """Every answer, each asked for until it is right; ``tell`` says what is wrong with one."""
    told = _asked(_FIRST, Told(), ask, starter, tell)
    if told.auth == "user":
        return told
    told = _asked(_TOKENS, told, ask, starter, tell)
    return _asked([_USERNAME], told, ask, starter, tell) if told.auth == "password-grant" else told


def _asked(questions: Sequence[Question], told: Told, ask: Ask, starter: str, tell: Callable[[str], None]) -> Told:
    for question in questions:
        while True:
            answer = _of(question, ask(question.text, question.default).strip())
            tried = replace(told, **{question.name: answer})  # type: ignore[arg-type]  # by its name
            wrong = _wrong(question, tried, starter)
            if wrong is None:
                told = tried
                break
            tell(wrong)
    return told


def _of(question: Question, answer: str) -> str | tuple[str, ...]:
    return tuple(part.strip() for part in answer.split(",")) if question.name == "ads" else answer


def _wrong(question: Question, told: Told, starter: str) -> str | None:
    if question.name == "auth":
        return None if told.auth in AUTHS else f"expected one of {', '.join(AUTHS)}"
    return next(
        (problem.text for option, problem in problems_of(configured(starter, told, None)) if option == question.option),
        None,
    )
