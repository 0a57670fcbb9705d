"""full-plain: a full backup, uncompressed, beside `qemu-img convert -W -m 16` from an NBD export of the same disk."""

import fullbench


def measure():
    return fullbench.measure("none", "qemu-img convert", fullbench.convert(""), 1.0)
