"""image-read-chain: two readers of a chain of 30 layers, every cluster checked, beside `qemu-img bench` in the same requests.

A full of mixed data, and 29 increments of 64 MiB of random clusters. Judged by requests of one cluster. In smaller ones
the lead is larger; in larger ones both do little else than copy out of the page cache."""

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
