"""memory-backup: peak memory of the daemon, in MiB, during a full backup of a disk of 16 TiB.

The disk holds 2 GiB of scattered data. Files are in memory, because ext4 has no file as long as the disk."""

import os
import random

import bench

CAPACITY = 16 * 2**40
STRETCHES = 2048
MIB = 2**20


def check(image, truth):
    """Checks that each stretch holds what was written, and that everything between is a hole."""
    ours, theirs = (os.open(path, os.O_RDONLY) for path in (image, truth))
    try:
        end = 0
        for number in range(STRETCHES):
            at = number * (CAPACITY // STRETCHES)
            if os.lseek(ours, end, os.SEEK_DATA) != at:
                raise RuntimeError(f"what follows {end} is no hole up to {at}")
            if os.pread(ours, MIB, at) != os.pread(theirs, MIB, at):
                raise RuntimeError(f"what lies at {at} is not what was written")
            end = os.lseek(ours, at, os.SEEK_HOLE)
    finally:
        os.close(ours)
        os.close(theirs)


def measure():
    with bench.Site(below=bench.memory(), capacity=CAPACITY) as site:
        rng = random.Random(4)
        for number in range(STRETCHES):
            site.disk.write(number * (CAPACITY // STRETCHES), rng.randbytes(MIB))
        point = site.back_up("full")
        peak = bench.peak_bytes(site.daemon.process.pid) / MIB
        check(site.daemon.mount / f"machines/m/points/{point}/disk-0.raw", site.disk.truth)
    return bench.Result(peak, ("≤", 128), [])
