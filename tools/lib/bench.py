"""The harness of tools/bench: two programs side by side in one run, A B A B, each measured from outside.

A row measures and returns a Result. Only ratios count, because absolute times mean nothing on shared machines.
Contents are compared before the measurement."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import content
from holdfast import Daemon
from storage import StorageDaemon

CAPACITY = 4 * 2**30
TICK = os.sysconf("SC_CLK_TCK")


def memory():
    """A directory in memory; None (the default place) where /dev/shm is not writable."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@dataclasses.dataclass
class Result:
    """Result of a row: the ratio, its bar ("≥" or "≤" and a number; None for information only), and lines of
    detail."""

    ratio: float
    bar: tuple | None
    lines: list

    def holds(self):
        if self.bar is None:
            return True
        direction, limit = self.bar
        return self.ratio >= limit if direction == "≥" else self.ratio <= limit


class Side:
    """A program to measure: `prepare` runs before each round (not measured), `command` is measured, `server` is the
    process behind the command, if any."""

    def __init__(self, name, command, server=None, prepare=lambda: None):
        self.name, self.command, self.server, self.prepare = name, command, server, prepare
        self.seconds, self.cpu, self.peak = [], [], 0

    def measure(self):
        self.prepare()
        cpu_before = _cpu_seconds(self.server)
        begun = time.monotonic()
        child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        self.seconds.append(time.monotonic() - begun)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise RuntimeError(f"{' '.join(self.command)}: exit {child.returncode}")
        self.cpu.append(usage.ru_utime + usage.ru_stime + _cpu_seconds(self.server) - cpu_before)
        self.peak = max(self.peak, usage.ru_maxrss * 1024 + peak_bytes(self.server))

    def median(self):
        return statistics.median(self.seconds)

    def line(self):
        spread = (max(self.seconds) - min(self.seconds)) / self.median()
        cpu = statistics.median(self.cpu)
        return f"{self.name:24} {self.median():7.2f} s  spread {spread:4.0%}  CPU {cpu:6.2f} s  peak {self.peak >> 20} MiB"


def touch_memory(size):
    """Uses so much memory and frees it. A virtual machine's host takes free memory back, and the next use waits for
    the host. Without this, that wait would dominate programs that go through a cache."""
    write = f"import mmap; m = mmap.mmap(-1, {size}); part = bytes([1]) * 2**20; [m.write(part) for _ in range({size >> 20})]"
    subprocess.run([sys.executable, "-c", write], check=True)


def alternate(ours, beside, rounds=5):
    """Returns by which factor ours is faster, from the medians of alternating rounds. The first round of each is not
    counted."""
    for side in (ours, beside):
        side.measure()
        side.seconds.clear()
        side.cpu.clear()
    for _ in range(rounds):
        ours.measure()
        beside.measure()
    return beside.median() / ours.median()


def _cpu_seconds(pid):
    if pid is None:
        return 0
    # Fields 14 and 15, counted from 1, are utime and stime; the name in field 2 may hold spaces.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_bytes(pid):
    """Peak memory of the process."""
    if pid is None:
        return 0
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no peak memory")


def check_contents(paths, record):
    """Checks that all files equal the record, and that the same comparison sees a flipped bit."""
    for path in paths:
        if not content.same_bytes(path, record):
            raise RuntimeError(f"{path} is not what the disk was")
    content.flip_bit(record, CAPACITY // 3)
    seen = not content.same_bytes(paths[0], record)
    content.flip_bit(record, CAPACITY // 3)
    if not seen:
        raise RuntimeError("a flipped bit was not noticed: the comparison is worth nothing")


def drop_cache(path):
    """Drops the file from the kernel's cache."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def warm(paths):
    for path in paths:
        subprocess.run(["cat", "--", path], stdout=subprocess.DEVNULL, check=True)


class Site:
    """A context manager: a daemon, a storage daemon with one disk (4 GiB by default), and a flow "f" for the disk."""

    def __init__(self, below=None, capacity=CAPACITY, **repository_settings):
        self._below, self._capacity = below, capacity
        self._settings = repository_settings
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=self._below))
        self._stack.callback(shutil.rmtree, self.folder)
        with contextlib.ExitStack() as undo:
            undo.push(self._stack)
            self.daemon = Daemon(self.folder)
            self._stack.callback(self.daemon.close)
            self.daemon.start()
            self.storage = StorageDaemon(self.folder / "m", [self._capacity])
            self._stack.callback(self.storage.close)
            (self.disk,) = self.storage.disks
            self.repository = self.folder / "repository"
            self.repository.mkdir()
            self.daemon.define("machines/m", self.storage.definition())
            self.daemon.define("repositories/r", {"path": str(self.repository), **self._settings})
            self.daemon.define("flows/f", {"target": "machines/m", "repository": "r"})
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def back_up(self, name):
        status = self.daemon.run("f", name)
        if status != "success":
            raise RuntimeError(f"the run {name} ended as {status}: {self.daemon.log.read_text()}")
        return self.daemon.points("m")[-1]
