"""read-seq: `dd bs=1M` of a point through the mount, beside qemu-storage-daemon's FUSE export of the same qcow2."""

import bench
import readbench


def measure():
    with readbench.both_ways(fills=bench.CAPACITY) as compare:
        ratio, lines = compare(lambda file: ["dd", "bs=1M", "of=/dev/null", "status=none", f"if={file}"])
    return bench.Result(ratio, ("≥", 2.0), lines)
