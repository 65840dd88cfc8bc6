"""A real systemd as the first process of namespaces of its own, to run units under without touching the host.

It shares the host's network. Its files are the host's, apart from /etc, /var, /run and /tmp, or those of another root
folder, on which it leaves no trace. Root only.

Several may run at a time: each has a control group of its own. In one that they share each would take the services of
the others for its own, and end them.
"""

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.needs import SYSTEMD
from tests.integration.rigs.spawned import Child
from tests.integration.rigs.wait import eventually

BOOT_LIMIT_SECONDS = 60.0
COMMAND_LIMIT_SECONDS = 60.0
NAMESPACES = ("--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--kill-child", "--mount-proc")

# These would change the kernel or the clock, which belong to the host.
_MASKED = (
    "systemd-sysctl.service",
    "systemd-binfmt.service",
    "systemd-modules-load.service",
    "systemd-udevd.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service",
    "systemd-timesyncd.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
)

_HOST_FILES = """\
exec 3< {shared}
# Booting writes all over /etc and /var and empties /tmp: each gets a file system that lasts as long as the box.
mount -t tmpfs tmpfs {kept}
for folder in etc var; do
    mkdir -p {kept}/$folder/upper {kept}/$folder/work
    mount -t overlay -o lowerdir=/$folder,upperdir={kept}/$folder/upper,workdir={kept}/$folder/work overlay /$folder
done
for folder in /run /tmp; do mount -t tmpfs -o mode=755 tmpfs $folder; done
if [ ! -d {shared} ]; then
    mkdir -p {shared}
    mount --no-canonicalize --bind /proc/self/fd/3 {shared}
    mount -o remount,bind,ro {shared}
fi
exec 3<&-
"""

_OTHER_FILES = """\
exec 3< {shared}
mount -t tmpfs tmpfs {kept}
mkdir {kept}/upper {kept}/work {kept}/root
mount -t overlay -o lowerdir={root},upperdir={kept}/upper,workdir={kept}/work overlay {kept}/root
cd {kept}/root
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
for folder in run tmp; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir -p .{shared} .host
mount --no-canonicalize --bind /proc/self/fd/3 .{shared}
mount -o remount,bind,ro .{shared}
exec 3<&-
pivot_root . .host
cd /
umount -l /.host
rmdir /.host
"""

_INIT = """\
set -eu
mount --make-rprivate /
{files}
chmod 1777 /tmp
# Nothing the host has enabled is started here, and nothing it has logged is read here.
mount -t tmpfs -o mode=755 tmpfs /etc/systemd/system
if [ -d /var/log/journal ]; then mount -t tmpfs -o mode=755 tmpfs /var/log/journal; fi
for unit in {masked}; do ln -s /dev/null /etc/systemd/system/$unit; done
mkdir -p /etc/tmpfiles.d /etc/systemd/journald.conf.d
: > /etc/tmpfiles.d/tmp.conf
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nForwardToSyslog=no\\n' > /etc/systemd/journald.conf.d/box.conf
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# systemd leaves this to whoever starts it in a container. Without it the directory of a LoadCredential, mounted in
# another namespace, never shows up in the service's: it finds an empty one that it may not read.
mount --make-rshared /
exec env -i container=box PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    {systemd} --system --unit=basic.target --log-target=journal
"""

_IN_GROUP = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


class SystemdBox:
    """One booted systemd. Its units, journal and state are gone when it stops."""

    def __init__(self, *, root: Path | None = None, shared: Path = REPOSITORY) -> None:
        """``root``: the folder whose files it sees, instead of the host's. ``shared``: one of the host's, to read."""
        self._root = root
        self._shared = shared
        self._folder = Path(tempfile.mkdtemp(prefix="contribd-systemd-"))
        self.log = self._folder / "boot.log"
        self._child: Child | None = None
        self._init = 0
        self._group: Path | None = None

    def start(self) -> None:
        """Boot, and return once the basic target is reached."""
        kept = self._folder / "kept"
        kept.mkdir()
        files = (_OTHER_FILES if self._root else _HOST_FILES).format(
            kept=shlex.quote(str(kept)), shared=shlex.quote(str(self._shared)), root=shlex.quote(str(self._root))
        )
        script = _INIT.format(files=files, masked=" ".join(_MASKED), systemd=SYSTEMD)
        self._group = _own_group() / self._folder.name
        self._group.mkdir()
        booting = ["sh", "-c", _IN_GROUP, str(self._group), "unshare", *NAMESPACES, "sh", "-c", script]
        self._child = Child(booting, cwd=Path("/"), log=self.log)
        try:
            eventually(self._booted, within=BOOT_LIMIT_SECONDS, what="systemd's basic target")
        except AssertionError as error:
            tail = self._child.tail()
            self.stop()
            raise RuntimeError(f"systemd did not boot; the end of its log:\n{tail}") from error

    def stop(self) -> None:
        """End everything in the box at once."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        if self._group is not None:
            eventually(self._group_removed, within=BOOT_LIMIT_SECONDS, what="the end of all processes in the box")
            self._group = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, *command: str, given: str | None = None, check: bool = True) -> str:
        """Run a command inside and return what it printed. RuntimeError where it fails, unless ``check`` is False."""
        done = subprocess.run(
            ["nsenter", "--target", str(self._init), "--all", *command],
            input=given or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=COMMAND_LIMIT_SECONDS,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} failed with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        return self.run("systemctl", *arguments, check=check)

    def write(self, path: str, text: str, *, mode: str = "0644") -> None:
        """Write a file as the box sees it; only /etc, /var, /run and /tmp are its own."""
        if not path.startswith(("/etc/", "/var/", "/run/", "/tmp/")):  # noqa: S108 - the box's own /tmp
            raise ValueError(f"{path}: would be written on the host")
        self.run("mkdir", "-p", str(Path(path).parent))
        self.run("tee", path, given=text)
        self.run("chmod", mode, path)

    def install(self, unit: str, text: str) -> None:
        """Install a unit file under its name (``contribd.service``); it is not started."""
        self.write(f"/etc/systemd/system/{unit}", text)
        self.systemctl("daemon-reload")

    def property(self, unit: str, name: str) -> str:
        """One property of a unit, as ``systemctl show`` prints it: ``ActiveState``, ``StatusText``, ``NRestarts``…"""
        return self.systemctl("show", "--property", name, "--value", unit).strip()

    def wait_for(self, unit: str, name: str, value: str, *, within: float = 30.0) -> None:
        """Wait until a property has a value; AssertionError with the unit's status and journal where it never has."""
        try:
            eventually(lambda: self.property(unit, name) == value, within=within, every=0.05)
        except AssertionError:
            status = self.systemctl("status", "--no-pager", "--full", "--lines=50", unit, check=False)
            raise AssertionError(f"{unit}: {name} did not become {value} within {within:g} s\n{status}") from None

    def journal(self, unit: str) -> list[dict[str, Any]]:
        """What a unit, and systemd about it, has logged: journal entries as JSON, oldest first."""
        self.run("journalctl", "--sync")
        lines = self.run("journalctl", "--no-pager", "--quiet", "--output=json", "--unit", unit).splitlines()
        return [json.loads(line) for line in lines]

    def messages(self, unit: str) -> list[str]:
        """The texts of ``journal``."""
        return [str(entry.get("MESSAGE", "")) for entry in self.journal(unit)]

    def _group_removed(self) -> bool:
        assert self._group is not None
        for folder, _, _ in os.walk(self._group, topdown=False):
            with contextlib.suppress(OSError):  # busy as long as a process ends
                Path(folder).rmdir()
        return not self._group.exists()

    def _booted(self) -> bool:
        assert self._child is not None
        if not self._child.alive:
            raise AssertionError("systemd ended")
        if self._init == 0:
            children = Path(f"/proc/{self._child.pid}/task/{self._child.pid}/children").read_text().split()
            # Before the shell has become systemd there is nobody to talk to.
            if not children or Path(f"/proc/{children[0]}/comm").read_text().strip() != "systemd":
                return False
            self._init = int(children[0])
        return self.systemctl("is-active", "basic.target", check=False).strip() == "active"


def _own_group() -> Path:
    """The folder of the control group (version 2) that this process is in."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    (mounted, *_) = [Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"]
    groups = Path("/proc/self/cgroup").read_text().splitlines()
    (ours,) = [line.partition("::")[2] for line in groups if line.startswith("0::")]
    return mounted / ours.lstrip("/")
