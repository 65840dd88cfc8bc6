"""Logins that the brokers refuse wait, for all clients of a process."""

from contribd.streams.client.logins import ATTEMPT_SECONDS, GLANCE_SECONDS, Logins

OLD, NEW = {"sasl_plain_password": "old"}, {"sasl_plain_password": "new"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def logins() -> tuple[Logins, Clock]:
    clock = Clock()
    return Logins(lambda refusals: 10.0 * refusals, clock), clock


def test_the_first_login_is_tried_by_one_alone() -> None:
    asked, clock = logins()
    assert asked.attempt("k1", OLD) == 0
    assert asked.attempt("k2", OLD) == GLANCE_SECONDS
    clock.now += ATTEMPT_SECONDS
    assert asked.attempt("k2", OLD) == 0


def test_once_one_was_taken_all_may() -> None:
    asked, _clock = logins()
    asked.attempt("k1", OLD)
    assert not asked.succeeded("k1")
    assert asked.attempt("k1", OLD) == asked.attempt("k2", OLD) == 0


def test_after_a_refusal_nobody_tries_anywhere_until_the_wait_is_over_and_it_grows() -> None:
    asked, clock = logins()
    asked.attempt("k1", OLD)
    asked.refused("k1", OLD, "no")
    assert asked.refusal == "no"
    assert asked.attempt("k2", OLD) == 10
    clock.now += 10
    assert asked.attempt("k2", OLD) == 0
    asked.refused("k2", OLD, "no")
    assert asked.attempt("k1", OLD) == 20


def test_a_refusal_is_told_by_the_first_that_has_somebody_to_tell_until_a_login_is_taken() -> None:
    asked, _clock = logins()
    asked.refused("k1", OLD, "no")  # of a client that is opened just now: who opens it is told
    assert asked.tell("no")
    assert not asked.tell("no")
    assert asked.tell("k2 says no")
    assert not asked.tell("no")
    asked.succeeded("k1")
    assert asked.tell("no")


def test_other_credentials_are_tried_at_once() -> None:
    asked, _clock = logins()
    asked.refused("k1", OLD, "no")
    assert asked.attempt("k1", NEW) == 0
    asked.refused("k1", NEW, "no")
    assert asked.attempt("k1", NEW) == 10


def test_an_attempt_that_came_to_no_login_makes_way() -> None:
    asked, _clock = logins()
    asked.attempt("k1", OLD)
    asked.failed()
    assert asked.attempt("k2", OLD) == 0


def test_a_login_that_is_taken_ends_the_wait_but_at_brokers_that_refused_by_themselves() -> None:
    asked, clock = logins()
    asked.refused("k1", OLD, "no")
    clock.now += 9
    assert asked.succeeded("k2")
    assert asked.refusal is None
    assert asked.delay("k2", OLD) == asked.delay("k3", OLD) == asked.delay(None, OLD) == 0
    assert asked.delay("k1", OLD) == 1
