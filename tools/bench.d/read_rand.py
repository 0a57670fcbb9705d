"""read-rand: fio's random reads of a point through the mount, beside qemu-storage-daemon's FUSE export.

Reads of 4 and of 64 KiB, 16 at once. libaio and O_DIRECT keep 16 reads in flight past the kernel's cache. The worse of
the two ratios counts."""

import bench
import readbench

TOTALS = {"4k": "1g", "64k": "4g"}  # seconds: long beside the start and the end of fio


def measure():
    ratios, lines = [], []
    with readbench.both_ways() as compare:
        for size, total in TOTALS.items():
            fio = ["fio", "--name=read", "--readonly", "--rw=randread", "--ioengine=libaio", "--direct=1", "--thread"]
            fio += ["--iodepth=16", f"--bs={size}", f"--io_size={total}", "--randseed=5"]
            ratio, measured = compare(lambda file, fio=fio: [*fio, f"--filename={file}"], f" {size}")
            ratios.append(ratio)
            lines += [*measured, f"{'':24} × {ratio:.2f}"]
    return bench.Result(min(ratios), ("≥", 2.0), lines)
