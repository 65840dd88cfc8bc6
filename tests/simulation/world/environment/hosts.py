"""The hosts that daemons run on: each starts its daemon again when it ends."""

from tests.simulation.world.environment.host import World
from tests.simulation.world.environment.sim_process import Process


class Hosts:
    """One daemon a host, restarted as the service manager would."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.schedule.rng
        self._starts = [0] * world.plan.daemons
        self._mappings: dict[int, int] = {}
        """The mapping that each host's daemon had last."""
        self._down_until = 0.0
        """No daemon is started until then."""
        self.processes: list[Process | None] = [None] * world.plan.daemons
        for host in range(world.plan.daemons):
            world.schedule.after(self._rng.random() * 3, lambda host=host: self._start(host))  # type: ignore[misc]

    def _start(self, host: int) -> None:
        if self.processes[host] is not None:
            return
        if self._world.schedule.mono < self._down_until:
            self._world.schedule.at(self._down_until, lambda: self._start(host))
            return
        self._starts[host] += 1
        self.processes[host] = process = Process(self._world, f"host{host}/{self._starts[host]}")
        if self._mappings.get(host, process.mapping) != process.mapping:
            self._world.counts["restarts with another mapping"] += 1
        self._mappings[host] = process.mapping
        self._world.schedule.after(0.5, lambda: self._watch(host))

    def _watch(self, host: int) -> None:
        """Notices a process that ended by itself."""
        process = self.processes[host]
        if process is None:
            return
        if process.exited == "replaced":
            process.die()  # one that was replaced has not ended by itself
        if process.dead:
            self._gone(host)
        else:
            self._world.schedule.after(0.5, lambda: self._watch(host))

    def _gone(self, host: int) -> None:
        self.processes[host] = None
        self._world.schedule.after(self._rng.choice((0.2, 2.0, 12.0)), lambda: self._start(host))

    def any(self) -> Process | None:
        """A process that runs, by chance."""
        running = [process for process in self.processes if process is not None and not process.dead]
        return self._rng.choice(running) if running else None

    def kill(self) -> None:
        """SIGKILL to one of them."""
        process = self.any()
        if process is not None:
            process.die()

    def shut_down(self, seconds: float) -> None:
        """SIGKILL to all of them; none is started for so long, and a moment more."""
        self._down_until = max(self._down_until, self._world.schedule.mono + seconds + 0.1)
        for process in self.processes:
            if process is not None:
                process.die()

    def stop(self) -> None:
        """SIGTERM to one of them."""
        process = self.any()
        if process is not None:
            process.terminate()

    def stop_all(self) -> None:
        """SIGTERM to all that have not got one."""
        for process in self.processes:
            if process is not None and not process.dead and not process.stopping:
                process.terminate()

    def check_idle(self) -> None:
        """The oracle looks at those that have nothing left to do."""
        for process in self.processes:
            if process is not None and not process.dead and not process.stopping:
                self._world.oracle.idle(process)

    @property
    def up_to_date(self) -> bool:
        """Whether all that go on know all that was ordered."""
        return all(
            process.is_up_to_date
            for process in self.processes
            if process is not None and not process.dead and not process.stopping
        )

    def poke(self) -> None:
        """The wall clock changed."""
        for process in self.processes:
            if process is not None and not process.dead:
                process.poke()

    def calm_down(self) -> None:
        """No thread is held up any more."""
        mono = self._world.schedule.mono
        for process in self.processes:
            if process is not None:
                process.stalled_until = min(process.stalled_until, mono)
                process.offline_until = min(process.offline_until, mono)
                process.no_orders_until = min(process.no_orders_until, mono)

    def end(self) -> None:
        """The run is over: threads that wait would keep all they know for ever."""
        for process in self.processes:
            if process is not None:
                process.end()
