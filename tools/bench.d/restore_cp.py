"""restore-cp: `cp --sparse=always` of a point's DISK.raw from the mount, beside `qemu-img convert` from the chain."""

import bench
import content
import restorebench


def measure():
    ratio, lines = restorebench.compare("raw", ["--sparse=always"], content.same_bytes)
    return bench.Result(ratio, ("≥", 1.0), lines)
