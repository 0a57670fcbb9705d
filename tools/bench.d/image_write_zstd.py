"""image-write-zstd: a disk of mixed data written with zstd, beside `qemu-img convert -c -W -m 16` with zstd."""

import bench
import imagebench


def measure():
    ratio, lines = imagebench.compare_writing("zstd", ["-c", "-o", "compression_type=zstd"])
    return bench.Result(ratio, ("≥", 1.5), lines)
