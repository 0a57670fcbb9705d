"""retention: a simulated year of daily points with keep_daily 30: bytes written by retention ÷ bytes captured.

The disk is a file of 64 MiB, of which 1 MiB changes each day at random clusters of 64 KiB. Each night the flow runs
and its policy prunes. The row also shows the deepest chain that QEMU opened, the most room that a merge took, and the
final size of the repository beside a copy of the kept points."""

import pathlib
import random
import shutil
import tempfile

import bench
from days import History
from holdfast import Daemon
from served import PlainDisk

CAPACITY = 64 * 2**20
DAYS, KEPT, DAILY = 365, 30, 16


def measure():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))  # a disk may not lie below /dev
    repository = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=bench.memory()))
    daemon = Daemon(folder)
    try:
        daemon.start()
        rng = random.Random(7)
        disk = PlainDisk(folder / "disk", CAPACITY)
        disk.write(0, rng.randbytes(CAPACITY))
        daemon.define("repositories/r", {"path": str(repository)})
        daemon.define("machines/m", {"driver": "file", "disks": [{"name": "disk-0", "path": str(disk.path)}]})
        daemon.define("policies/p", {"keep_daily": KEPT})
        daemon.define("flows/f", {"target": "machines/m", "repository": "r", "policy": "p"})
        days = History(daemon, folder, disk, repository, rng)
        captured = written = largest = deepest = 0
        seen = set()
        for _ in range(DAYS):
            point = days.day(DAILY)
            captured += daemon.json(f"machines/m/points/{point}/manifest.json")["bytes_stored"]
            deepest = max(deepest, len(days.layers()) + 1)  # size before the pruning
            for job in days.new_jobs(seen).values():
                written += job["metadata"]["bytes_written"]
                largest = max(largest, job["metadata"]["bytes_written"])
            for record in list(days.records)[: -KEPT - 1]:
                days.records.pop(record).unlink(missing_ok=True)
        wrong = days.differences()
        if wrong or len(days.points()) != KEPT:
            raise RuntimeError(f"{len(days.points())} points; {wrong}")
        if deepest > 64:
            raise RuntimeError(f"a chain had {deepest} layers")
        used = sum(path.stat().st_blocks * 512 for path in repository.rglob("*.qcow2"))
        lines = [
            f"{'captured':24} {captured / 2**20:9.2f} MiB",
            f"{'written by merging':24} {written / 2**20:9.2f} MiB",
            f"{'extra room, at most':24} {largest / 2**20:9.2f} MiB; pruning takes none",
            f"{'deepest chain':24} {deepest:9} layers",
            f"{'in the end':24} {used / 2**20:9.2f} MiB for {KEPT} points",
        ]
        return bench.Result(written / captured, ("≤", 1.5), lines)
    finally:
        daemon.close()
        for path in (folder, repository):
            shutil.rmtree(path, ignore_errors=True)
