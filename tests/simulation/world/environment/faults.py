"""Things that go wrong from time to time, until they all stop."""

from collections.abc import Callable

from tests.simulation.world.environment.brokers import GROUP, ORDERS, RESULTS, TRANSACTIONS, leader_of
from tests.simulation.world.environment.host import World
from tests.simulation.world.environment.hosts import Hosts
from tests.simulation.world.environment.sim_kafka import TRANSACTION_TIMEOUT
from tests.simulation.world.environment.venue import Venue

from contribd.simulation.ads.options import LoginProfile


class Faults:
    """Plans every fault of a run; ``end`` heals the world."""

    def __init__(self, world: World, cluster: Hosts) -> None:
        self._world = world
        self._cluster = cluster
        self._rng = world.schedule.rng

    def plan(self) -> None:
        """Each kind of fault strikes at random times while the run's faults last."""
        plan, schedule = self._world.plan, self._world.schedule
        for name, rate in plan.rates.items():
            action: Callable[[], None] = getattr(self, f"_{name}")
            at = self._rng.expovariate(rate)
            while at < plan.spread:
                schedule.at(at, lambda name=name, action=action: self._strike(name, action))  # type: ignore[misc]
                at += self._rng.expovariate(rate)

    def _strike(self, name: str, action: Callable[[], None]) -> None:
        self._world.counts[name] += 1
        self._world.oracle.note("fault", name)
        action()

    def end(self) -> None:
        """Everything works from now on."""
        self._world.calm = True
        self._world.oracle.note("fault", "all faults end")
        self._world.oracle.faults_end()
        for venue in self._world.venues.values():
            venue.calm_down()
        self._world.brokers.calm_down()
        self._world.kafka.forbidden_until = 0.0
        self._cluster.calm_down()

    def _venue(self) -> Venue:
        return self._rng.choice(list(self._world.venues.values()))

    def _heal_after(self, seconds: float, action: Callable[[], None]) -> None:
        self._world.schedule.after(self._rng.random() * seconds, action)

    # The network

    def _cut(self) -> None:
        for visit in list(self._venue().visits):
            visit.wire.cut()

    def _cut_by_client_side(self) -> None:
        venue = self._venue()
        if venue.visits:
            self._rng.choice(venue.visits).wire.cut()

    def _connect_refused(self) -> None:
        venue = self._venue()
        venue.reachable = False
        self._cut()
        self._heal_after(10.0, lambda: setattr(venue, "reachable", True))

    def _ads_not_reading(self) -> None:
        for visit in self._venue().visits:
            visit.wire.stop_reading(self._rng.choice((0.5, 3.0, 12.0)))

    def _group_cut(self) -> None:
        process = self._cluster.any()
        if process is not None:
            process.offline_until = self._world.schedule.mono + self._rng.choice((1.0, 5.0, 15.0))

    # Kafka

    def _broker_killed(self) -> None:
        self._world.brokers.lose_one(clean=False, lie=self._world.happens("coordinator_lies"))

    def _broker_stopped(self) -> None:
        self._world.brokers.lose_one(clean=True, lie=False)

    def _leader_moved(self) -> None:
        self._world.brokers.move(leader_of(self._rng.randrange(self._world.plan.partitions)))

    def _coordinator_moved(self) -> None:
        self._world.brokers.move(self._rng.choice((GROUP, TRANSACTIONS, RESULTS)))

    def _orders_away(self) -> None:
        self._world.brokers.lack(ORDERS, self._rng.choice((1.0, 6.0, 15.0)))

    def _orders_cut(self) -> None:
        process = self._cluster.any()
        if process is not None:
            process.no_orders_until = self._world.schedule.mono + self._rng.choice((1.0, 6.0, 15.0))

    def _right_missing(self) -> None:
        kafka, mono = self._world.kafka, self._world.schedule.mono
        kafka.forbidden_until = max(kafka.forbidden_until, mono + self._rng.choice((1.0, 8.0, 40.0)))

    def _offsets_gone(self) -> None:
        """All daemons are away, for so long that the group is empty; then its offsets are deleted, or expire."""
        away = self._world.plan.session_timeout + TRANSACTION_TIMEOUT + 1.0
        self._cluster.shut_down(away)
        self._world.schedule.after(away, self._delete_offsets)

    def _delete_offsets(self) -> None:
        self._world.kafka.delete_offsets()
        self._world.oracle.offsets_gone()

    # The ADS

    def _login(self, answer: LoginProfile) -> None:
        venue = self._venue()
        venue.set_login(answer)
        venue.ads.disconnect(1000)
        venue.push()
        self._heal_after(8.0, lambda: venue.set_login(LoginProfile.OPEN))

    def _login_refused(self) -> None:
        self._login(LoginProfile.REFUSED)

    def _login_silent(self) -> None:
        self._login(LoginProfile.SILENT)

    def _login_suspect(self) -> None:
        venue = self._venue()
        venue.ads.suspect_logins()
        venue.push()

    def _login_closed(self) -> None:
        venue = self._venue()
        venue.ads.close_logins(recover=self._rng.random() < 0.5, stay=self._rng.random() < 0.5)
        venue.push()

    def _service_down(self) -> None:
        venue, name = self._venue(), self._rng.choice(("TRCC", "ALT", None))
        if self._rng.random() < 0.5:
            venue.ads.set_service(False, name)
        else:
            venue.ads.set_service(True, name, accepting=False)
        venue.push()
        self._heal_after(8.0, lambda: self._service_up(venue))

    def _service_up(self, venue: Venue) -> None:
        venue.ads.set_service(True)
        venue.push()

    def _service_deleted(self) -> None:
        venue = self._venue()
        venue.ads.delete_service(self._rng.choice(("TRCC", "ALT")))
        venue.push()
        self._heal_after(8.0, lambda: self._service_up(venue))

    def _ads_slow(self) -> None:
        venue = self._venue()
        venue.ads.delay = self._rng.choice((0.05, 1.0, 4.0))
        self._heal_after(10.0, lambda: setattr(venue.ads, "delay", 0.0))

    def _ads_silent(self) -> None:
        venue = self._venue()
        venue.ads.silent = True
        self._heal_after(10.0, lambda: setattr(venue.ads, "silent", False))

    # The daemon

    def _kill(self) -> None:
        self._cluster.kill()

    def _stop(self) -> None:
        self._cluster.stop()

    def _freeze(self) -> None:
        process = self._cluster.any()
        if process is not None:
            times = (0.5, 3.0, self._world.plan.session_timeout * 1.5, self._world.plan.session_timeout * 3)
            process.frozen_until = max(process.frozen_until, self._world.schedule.mono + self._rng.choice(times))

    def _stall(self) -> None:
        process = self._cluster.any()
        if process is not None:
            process.stalled_until = self._world.schedule.mono + self._rng.choice((0.1, 1.0, 4.0))

    def _wall_step(self) -> None:
        # Expiry follows the wall clock: set back while a result is not durable, it would make an old price young again.
        # And results may be looked up by when they were written, to a minute.
        plan = self._world.plan
        back = () if plan.max_age is not None else (-1.5,) if plan.curves is not None else (-3600.0, -1.5)
        self._world.schedule.step_wall(self._rng.choice((*back, 0.7, 30.0)))
        self._cluster.poke()
