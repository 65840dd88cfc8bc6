"""What the engine shows of itself to whoever looks."""

from tests.ads.server_messages import directory, directory_status
from tests.engine.rig import P0, P1, Rig

from contribd.engine.events import Blocked, PausesSet
from contribd.engine.records.pauses import Pause, PauseKind, Selector
from contribd.engine.view import DirectoryStatus


def shown(rig: Rig) -> DirectoryStatus:
    return rig.engine.view(rig.now).directory


def test_a_service_that_the_ads_has_not_is_told_with_those_that_it_has() -> None:
    rig = Rig(services=("TRCC",))
    rig.log_in()
    assert shown(rig) == (False, True, ())
    rig.receive(directory(name="TRCC2"))
    assert shown(rig) == (True, False, (("TRCC", "TRCC2"),))
    rig.receive(directory(name="PAGES", service_id=2, kind="Update"))
    assert shown(rig).unknown == (("TRCC", "TRCC2, PAGES"),)
    rig.receive(directory(up=False, service_id=3, kind="Update"))
    assert shown(rig).unknown == ()


def test_nothing_is_said_of_services_without_a_session_or_a_directory() -> None:
    rig = Rig(services=("TRCC",))
    rig.log_in()
    rig.receive(directory(name="TRCC2"))
    rig.lose()
    assert shown(rig) == (False, False, ())
    rig.tick(60.0)
    rig.log_in()
    rig.receive(directory_status())
    assert shown(rig) == (False, False, ())


def test_partitions_that_cannot_be_read_count_while_they_are_ours() -> None:
    rig = Rig().assign(P0)
    rig.handle(Blocked(frozenset({P0, P1})))
    assert rig.engine.view(rig.now).blocked == 1
    rig.revoked(P0)
    assert rig.engine.view(rig.now).blocked == 0


def test_endpoints_tell_what_is_held_against_them_and_when_they_are_tried() -> None:
    rig = Rig()
    rig.connect()
    rig.lose()
    first, second = rig.engine.view(rig.now).endpoints
    assert first == ("ws://a", 1, "network", 1.0)
    assert second == ("ws://b", 0, None, 0.0)
    rig.tick(0.25)
    assert rig.engine.view(rig.now).endpoints[0].wait == 0.75


def test_pauses_in_force_are_told() -> None:
    rig = Rig()
    pause = Pause(Selector(PauseKind.RIC, "EUR*"), "uid 1000 (anna)", "feed broken", rig.wall)
    rig.handle(PausesSet((pause,)))
    assert rig.engine.view(rig.now).pauses == (pause,)
