"""image-read-chain: two readers of a chain of 30 layers, beside `qemu-img bench` with the same requests.

The chain is a full of mixed data and 29 increments of 64 MiB of random clusters. Our readers check every cluster.
Requests of one cluster count. The lead is larger with smaller requests; with larger ones both mostly copy out of the
page cache."""

import bench
import imagebench

DEPTH = 30
REQUESTS = [4096, 65536, 2**20]
JUDGED = 65536


def measure():
    with imagebench.mixed_disk() as raw:
        base = raw.with_name("disk.qcow2")
        imagebench.run("chain", raw, base, DEPTH)
        images = [raw.with_name(f"disk.qcow2.{layer}") for layer in range(DEPTH - 1, 0, -1)] + [base]
        imagebench.check_reading(raw, images)
        ratios, lines = {}, []
        for size in REQUESTS:
            ratios[size], measured = imagebench.compare_reading(images, size)
            lines += [*measured, f"{'':24} × {ratios[size]:.2f}"]
    return bench.Result(ratios[JUDGED], ("≥", 4.0), lines)
