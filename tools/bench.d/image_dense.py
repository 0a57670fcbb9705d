"""image-dense: memory above the writer's buffers, in MiB, while a disk of 16 TiB full of data is written.

A generator makes the data, which is not kept. Tables, refcounts and checksums of all 268,435,456 clusters are written
and read by qemu-img check. The row takes a quarter of an hour on two idle processors. It needs 3 GiB of memory (ext4
has no file as long as the image) and 5 GiB on disk."""

import pathlib
import tempfile

import bench
import content
import imagebench

TIB = 16


def measure():
    with imagebench.memory_folder() as memory, tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        image, sums = pathlib.Path(memory) / "disk.qcow2", pathlib.Path(folder) / "disk.sums"
        above, peak = map(int, imagebench.run("dense", TIB, image, sums).split())
        if not content.sound(image):
            raise RuntimeError("qemu-img check finds fault with what was written")
    return bench.Result(above, ("≤", 64), [f"{'peak':24} {peak:7} MiB"])
