"""full-zstd: a full backup with zstd, beside `qemu-img convert -c -W -m 16` with zstd from an NBD export of the same disk."""

import fullbench


def measure():
    return fullbench.measure("zstd", "qemu-img convert -c", fullbench.convert("-c -o compression_type=zstd"), 1.5)
