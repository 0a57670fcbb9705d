"""full-zstd: a full backup with zstd, beside `qemu-img convert -c -W -m 16` with zstd from an NBD export of the same disk.

Both end when what they have written is on stable storage."""

import fullbench


def measure():
    return fullbench.measure("zstd", "-c -o compression_type=zstd", 1.5)
