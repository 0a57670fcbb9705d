"""image-write: a disk of mixed data written uncompressed, beside `qemu-img convert -W -m 16`; ours is checksummed, too."""

import bench
import imagebench


def measure():
    ratio, lines = imagebench.compare_writing("none", [])
    return bench.Result(ratio, ("≥", 1.0), lines)
