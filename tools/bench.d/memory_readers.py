"""memory-readers: peak memory of the daemon, in MiB, while 16 readers read a disk of 16 TiB.

The disk holds 1 GiB of scattered data. Each reader has its own order; four of them read the flat image from end to
end. Files are in memory, because ext4 has no file as long as the disk."""

import concurrent.futures
import os
import random
import subprocess

import bench

CAPACITY = 16 * 2**40
STRETCHES = 1024
READERS, OF_THE_FLAT = 16, 4
MIB = 2**20


def place(number):
    return number * (CAPACITY // STRETCHES)


def read_all(image, truth, seed):
    """Reads all stretches in the seed's order, and checks their content."""
    order = random.Random(seed).sample(range(STRETCHES), STRETCHES)
    with open(image, "rb", buffering=0) as ours, open(truth, "rb", buffering=0) as theirs:
        os.posix_fadvise(ours.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        for number in order:
            if os.pread(ours.fileno(), MIB, place(number)) != os.pread(theirs.fileno(), MIB, place(number)):
                raise RuntimeError(f"what lies at {place(number)} is not what was written")


def read_flat(image):
    subprocess.run(["dd", f"if={image}", "bs=1M", "of=/dev/null", "status=none"], check=True)


def measure():
    with bench.Site(below=bench.memory(), capacity=CAPACITY) as site:
        rng = random.Random(5)
        for number in range(STRETCHES):
            site.disk.write(place(number), rng.randbytes(MIB))
        point = site.back_up("full")
        site.daemon.stop()
        site.daemon.start()  # a new daemon, so that its peak comes from the readers alone
        folder = site.daemon.mount / f"machines/m/points/{point}"
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            begun = [pool.submit(read_flat, folder / "disk-0.qcow2") for _ in range(OF_THE_FLAT)]
            for seed in range(READERS - OF_THE_FLAT):
                begun.append(pool.submit(read_all, folder / "disk-0.raw", site.disk.truth, seed))
            for one in begun:
                one.result()
        peak = bench.peak_bytes(site.daemon.process.pid) / MIB
    return bench.Result(peak, ("≤", 192), [])
