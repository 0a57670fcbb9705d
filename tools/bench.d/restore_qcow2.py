"""restore-qcow2: `cp` of a point's DISK.qcow2 from the mount, beside `qemu-img convert -O qcow2` from the chain."""

import bench
import content
import restorebench


def measure():
    ratio, lines = restorebench.compare("qcow2", [], content.same_disk)
    return bench.Result(ratio, ("≥", 1.5), lines)
