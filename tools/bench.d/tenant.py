"""tenant: work of one user while another does the worst that a mount allows, with two processes ÷ the same work alone.

The other user's processes mix, by a printed seed: lists of 120,000 items, refused commands and writes of a mebibyte,
deleted scratch files, drafts and directories that stay open, backups by the dozen, reads that wait, and readings of the
whole tree. Meanwhile a neighbour lists machines, reads status.json, runs a flow and restores a disk, and compares it.
Medians; the worst ratio counts. HOLDFAST_TENANT_SECONDS sets how long it takes (120). The daemon's peak stays below
256 MiB, and its log and the event log stay small; otherwise the row fails."""

import contextlib
import functools
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import statistics
import tempfile
import threading
import time

import bench
import content
import holdfast
from holdfast import Daemon
from served import PlainDisk
from users import User, unnamed

MIB = 2**20
SECONDS = float(os.environ.get("HOLDFAST_TENANT_SECONDS", "120"))
PROCESSES = 2
MACHINES = 8  # objects of the attacker
ALONE = 15  # turns before the attack
MOST_MEMORY = 256 * MIB
MOST_LOG = MIB  # size of the daemon's own log
MOST_EVENTS = 16 * MIB


class Attacker:
    """One process of the user who does his worst. It holds what it opens until it is refused more."""

    def __init__(self, daemon, seed):
        self.mount = daemon.mount
        self.write = daemon.write
        self.random = random.Random(seed)
        self.held = []
        self.waiting = 0

    def run(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        deeds = [
            self.big_list,
            self.refused_command,
            self.refused_write,
            self.scratch,
            self.draft,
            self.directory,
            self.backup,
            self.wait,
            self.read_all,
        ]
        while True:
            try:
                self.random.choice(deeds)()
            except OSError:
                if self.held and self.random.random() < 0.2:
                    os.close(self.held.pop(self.random.randrange(len(self.held))))

    def machine(self):
        return f"machines/attacker-{self.random.randrange(MACHINES)}"

    def big_list(self):
        self.write("policies/attacker/config.json", json.dumps({"tags": [f"t{n}" for n in range(120_000)]})[:MIB])

    def refused_command(self):
        self.write("policies/attacker/control", "no-such-verb " + "x" * self.random.randrange(4000))

    def refused_write(self):
        self.write("policies/attacker/config.json", "{" + "x" * (MIB - 2))

    def scratch(self):
        path = self.mount / "policies/attacker" / f".{self.random.randrange(1000)}"
        self.held.append(os.open(path, os.O_RDWR | os.O_CREAT))
        os.unlink(path)
        os.pwrite(self.held[-1], bytes(MIB), 0)

    def draft(self):
        self.held.append(os.open(self.mount / "policies/attacker/config.json", os.O_WRONLY | os.O_TRUNC))
        for _ in range(64):
            os.write(self.held[-1], b'{"description": "' + b"x" * 4000 if _ == 0 else b"x" * 4096)

    def directory(self):
        self.held += [os.open(self.mount / "machines", os.O_RDONLY) for _ in range(20)]

    def backup(self):
        for _ in range(40):
            self.write(f"{self.machine()}/control", "backup repository=r")

    def wait(self):
        if self.waiting >= 200:
            return
        jobs = [name for name in os.listdir(self.mount / "jobs") if name.isdigit()]
        if not jobs:
            return
        self.held.append(os.open(self.mount / "jobs" / self.random.choice(jobs) / "wait", os.O_RDONLY))
        self.waiting += 1
        threading.Thread(target=self._park, args=(self.held[-1],), daemon=True).start()

    def _park(self, file):
        with contextlib.suppress(OSError):
            os.read(file, 100)
        self.waiting -= 1

    def read_all(self):
        for folder, _, files in os.walk(self.mount):
            for name in files:
                if not name.endswith((".raw", ".qcow2", "wait")):
                    with contextlib.suppress(OSError):
                        pathlib.Path(folder, name).read_bytes()


class Neighbour:
    """The user whose work is measured."""

    def __init__(self, daemon, user, folder):
        self.daemon, self.user, self.folder = daemon, user, folder
        self.runs = 0

    def list(self):
        with os.scandir(self.daemon.mount / "machines") as entries:
            return [entry.stat(follow_symlinks=False).st_mode for entry in entries]

    def read_status(self):
        return self.daemon.json("status.json")["running"]

    def run(self):
        if self.daemon.run("neighbour", f"run-{self.runs}") != "success":
            raise RuntimeError("the neighbour's run failed")

    def restore(self):
        point = self.daemon.points("neighbour")[0]
        bench.drop_cache(self.daemon.mount / f"machines/neighbour/points/{point}/disk-0.raw")
        shutil.copyfile(self.daemon.mount / f"machines/neighbour/points/{point}/disk-0.raw", self.folder / "restored")

    WORK = {"ls machines": list, "cat status.json": read_status, "run": run, "restore of 16 MiB": restore}

    def seconds(self, act):
        def timed():
            begun = time.perf_counter()
            act(self)
            return time.perf_counter() - begun

        return self.user.does(timed)

    def turn(self, times):
        self.runs += 1
        for name, act in self.WORK.items():
            times[name].append(self.seconds(act))
        if not content.same_bytes(self.folder / "restored", self.folder / "record"):
            raise RuntimeError("the restored disk is not what was backed up")


def add_machine(daemon, folder, name, capacity, owner):
    disk = PlainDisk(folder / f"{name}.disk", capacity)
    disk.write(0, random.Random(name).randbytes(capacity))
    daemon.define(f"machines/{name}", {"driver": "file", "disks": [{"name": "disk-0", "path": str(disk.path)}]})
    os.chown(daemon.mount / f"machines/{name}", owner.uid, owner.gid)
    return disk


def furnish(daemon, folder, attacker, neighbour):
    (folder / "repository").mkdir()
    daemon.define("repositories/r", {"path": str(folder / "repository")})
    os.chmod(daemon.mount / "repositories/r", 0o777)
    daemon.define("policies/attacker", {})
    os.chown(daemon.mount / "policies/attacker", attacker.uid, attacker.gid)
    for number in range(MACHINES):
        add_machine(daemon, folder, f"attacker-{number}", MIB, attacker)
    disk = add_machine(daemon, folder, "neighbour", 16 * MIB, neighbour)
    content.copy(disk.path, folder / "record")
    daemon.define("flows/neighbour", {"target": "machines/neighbour", "repository": "r"})
    os.chown(daemon.mount / "flows/neighbour", neighbour.uid, neighbour.gid)
    (folder / "theirs").mkdir()
    os.chown(folder / "theirs", neighbour.uid, neighbour.gid)
    shutil.copyfile(folder / "record", folder / "theirs/record")


def forked(user, act):
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
            act()
        finally:
            os._exit(1)
    return child


def end(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def size_of_events(daemon):
    names = [name for name in os.listdir(daemon.mount) if name.startswith("events.jsonl")]
    return sum((daemon.mount / name).stat().st_size for name in names)


def check_bounds(daemon, lines):
    for what, found, most in (
        ("peak of the daemon", bench.peak_bytes(daemon.process.pid), MOST_MEMORY),
        ("its log", daemon.log.stat().st_size, MOST_LOG),
        ("the event log", size_of_events(daemon), MOST_EVENTS),
    ):
        lines.append(f"{what:24} {found / MIB:8.1f} MiB, at most {most // MIB}")
        if found >= most:
            raise RuntimeError("\n".join(lines))


def measure():
    seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(2**32)))
    attacker, neighbour = (User(number) for number in unnamed(2))
    alone, beside = ({name: [] for name in Neighbour.WORK} for _ in range(2))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        daemon = Daemon(folder)
        stack.callback(daemon.close)
        daemon.start()
        furnish(daemon, folder, attacker, neighbour)
        work = Neighbour(daemon, neighbour, folder / "theirs")
        work.turn({name: [] for name in Neighbour.WORK})  # the first run is a full
        for _ in range(ALONE):
            work.turn(alone)
        for number in range(PROCESSES):
            child = forked(attacker, Attacker(daemon, seed + number).run)
            stack.callback(functools.partial(end, child))
        holdfast.until(lambda: len(daemon.json("status.json")["running"]) > MACHINES)  # the attack has begun
        over = time.monotonic() + SECONDS
        while time.monotonic() < over:
            work.turn(beside)
        lines = [f"{len(beside['run'])} turns in {SECONDS:.0f} s; HOLDFAST_SEED={seed}"]
        ratios = []
        for name in Neighbour.WORK:
            usual, then = (statistics.median(times[name]) * 1000 for times in (alone, beside))
            ratios.append(then / usual)
            worst = max(beside[name]) * 1000
            lines.append(f"{name:24} {usual:8.1f} ms  attacked {then:8.1f} ms (worst {worst:.0f})  × {ratios[-1]:.2f}")
        check_bounds(daemon, lines)
    return bench.Result(max(ratios), ("≤", 5), lines)
