"""full-nbdcopy: a full backup, uncompressed, beside `nbdcopy` into `qemu-nbd` from an NBD export of the same disk."""

import bench
import fullbench


def copy(source, target):
    create = f"qemu-img create -q -f qcow2 {target} {bench.CAPACITY}"
    return f"{create} && nbdcopy --destination-is-zero '{source}' -- [ qemu-nbd --format=qcow2 {target} ]"


def measure():
    return fullbench.measure("none", "nbdcopy to qemu-nbd", copy, 1.5)
