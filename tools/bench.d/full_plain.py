"""full-plain: a full backup, uncompressed, beside `qemu-img convert -W -m 16` from an NBD export of the same disk.

Both end when what they have written is on stable storage."""

import fullbench


def measure():
    return fullbench.measure("none", "", 1.0)
